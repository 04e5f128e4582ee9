/*
 * switch.c - the table of helpers; and switch.h for machines that there is no code for.
 */
#include "switch.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__linux__)

bool wr_switch_supported(void) { return true; }

#define HELPER(id, function, signature, flags) void wr_switch_##id(void);
#include "helpers.def"
#undef HELPER

#define HELPER(id, function, signature, flags) (void *)(uintptr_t)wr_switch_##id,
void *const wr_switch_helpers[NATIVE_HELPERS] = {
#include "helpers.def"
};
#undef HELPER

#else

bool wr_switch_supported(void) { return false; }

u32 wr_switch_enter(Native *native, const void *entry, void *context, const void *code, Slot *slots,
                    void *top) {
    (void)native, (void)entry, (void)context, (void)code, (void)slots, (void)top;
    return LEFT_RETURNED;
}

u32 wr_switch_land(Native *native, u64 exception) {
    (void)native, (void)exception;
    return LEFT_RETURNED;
}

void wr_switch_leave(void) {}

void *const wr_switch_helpers[NATIVE_HELPERS];

#endif
