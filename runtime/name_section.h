/*
 * name_section.h - the custom section "name": names for people (spec: appendix/custom). Decoded
 * when first asked for, by any thread. It must never make a module unusable, so what is malformed
 * in it ends its reading and what was read until then counts.
 */
#ifndef WR_NAME_SECTION_H
#define WR_NAME_SECTION_H

#include "module.h"

/* Frees what the lookups declared in module.h have made. */
void wr_name_map_delete(const Module *module, NameMap *map);

#endif
