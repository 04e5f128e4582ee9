/*
 * table.h - tables of references (spec: exec/runtime, table instances).
 *
 * Elements are 32-bit references (store.h). A table never has more than LIMIT_TABLE_SIZE elements,
 * whatever it declares: growth beyond it fails, as the specification allows.
 */
#ifndef WR_TABLE_H
#define WR_TABLE_H

#include "store.h"

/* Makes a table of the declared type, filled with null, and appends it to the store's. */
NODISCARD Error *wr_table_new(Store *store, const TableDecl *decl, Table **out);
void wr_table_free(Table *table); /* by its store, no longer listed there */

/* Makes a table as small as it was. The store's count of elements is not changed, nor the contents. */
void wr_table_put_back(Table *table, u32 size);

#endif
