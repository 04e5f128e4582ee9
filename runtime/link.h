/*
 * link.h - matching of what is given with what is imported (spec: valid/matching, external types).
 */
#ifndef WR_LINK_H
#define WR_LINK_H

#include "store.h"

/* NULL if every import of `module` is matched by its counterpart in `given`, else an UNLINKABLE
 * error "incompatible import type: ..." for the first that is not. */
NODISCARD Error *wr_link_check(const Module *module, const ExternVal *given);

/* The error for an import that nobody defines: "unknown import: ...". */
NODISCARD Error *wr_link_unknown(const Import *import);

#endif
