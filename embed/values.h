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

/* What calls share: checks that function and counts fit; arguments to slots, checked; results from slots,
 * kept alive for the host. `n` slots suffice for both. */
NODISCARD Error *wr_call_check(const Store *store, const Func *func, size_t nargs, size_t nresults);
NODISCARD Error *wr_call_put(Store *store, const DefType *type, const wr_val_t *args, Slot *slots);
NODISCARD Error *wr_call_get(Store *store, const DefType *type, const Slot *slots,
                             wr_val_t *results);
INLINE u32 call_slots(const Func *func) {
    return func->param_slots > func->result_slots ? func->param_slots : func->result_slots;
}
/* Most calls need no allocation. */
#define INLINE_SLOTS 32u

/* A value of the host as one of that type, checked, in type_slots(type) slots; and back, kept alive for the
 * host: null when out of memory. (objects.c) */
NODISCARD Error *wr_value_put(Store *store, const wr_val_t *value, ValType type, Slot *slots);
void wr_value_get(Store *store, ValType type, const Slot *slots, wr_val_t *value);

#endif
