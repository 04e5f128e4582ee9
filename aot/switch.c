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

void wr_switch_registers(const NativeExit *exit, NativeRegisters *out) {
    *out = (NativeRegisters){.sp = exit->sp, .is_call = true};
#if defined(__aarch64__)
    memcpy(out->saved, exit->saved, sizeof exit->saved);
    out->pc = exit->saved[11]; /* x30 */
#else
    for (size_t i = 0; i < ARRAY_LEN(exit->saved); i++)
        out->saved[i] = exit->saved[ARRAY_LEN(exit->saved) - 1 - i];
    memcpy(&out->pc, (const void *)(uintptr_t)out->sp, sizeof out->pc);
    out->sp += sizeof out->pc;
#endif
}

#else

bool wr_switch_supported(void) { return false; }

void wr_switch_registers(const NativeExit *exit, NativeRegisters *out) {
    (void)exit;
    *out = (NativeRegisters){.is_call = true};
}

u32 wr_switch_enter(Native *native, const void *entry, void *context, const void *code, Slot *slots,
                    void *top) {
    (void)native, (void)entry, (void)context, (void)code, (void)slots, (void)top;
    return LEFT_RETURNED;
}

u32 wr_switch_land(Native *native, u64 what) {
    (void)native, (void)what;
    return LEFT_RETURNED;
}

void wr_switch_leave(void) {}

void *const wr_switch_helpers[NATIVE_HELPERS];

#endif
