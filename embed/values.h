/*
 * values.h - the public value kinds and the runtime's value types.
 */
#ifndef WR_VALUES_H
#define WR_VALUES_H

#include "store.h"

/* How the interface shows a type: references by their hierarchy. */
wr_valkind_t wr_value_kind(const TypeTable *types, ValType type);
/* From type_slots(type) slots, and back. */
wr_val_t wr_value_from_slots(const TypeTable *types, ValType type, const Slot *slots);
void wr_value_to_slots(const wr_val_t *value, Slot *slots);

#endif
