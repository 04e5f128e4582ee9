/*
 * base.h - integer names, byte order, checked arithmetic and assertions. Included by every file of
 * the library; includes nothing of ours. Compiler differences live here and nowhere else.
 */
#ifndef WR_BASE_H
#define WR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef float f32;
typedef double f64;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PREFETCH(address) __builtin_prefetch(address)
#define COLD __attribute__((cold, noinline))
#define INLINE static inline __attribute__((always_inline))
#define NODISCARD __attribute__((warn_unused_result))
#define WEAK __attribute__((weak))
#define PRINTF(string, first) __attribute__((format(printf, string, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define NONE_U32 UINT32_MAX

/* ASSERT states what cannot be false in this program whatever the input; a bug if it is. */
#if defined(NDEBUG)
#define ASSERT(x) ((void)0)
#else
#include <assert.h>
#define ASSERT(x) assert(x)
#endif

/* Whether the target permutes the bytes of a vector by run-time indices in one instruction. */
#if defined(__SSSE3__) || defined(__ARM_NEON)
#define HAS_BYTE_PERMUTE true
#else
#define HAS_BYTE_PERMUTE false
#endif

/* A function whose accesses the thread sanitizer does not see: for racy.h alone. (`used` keeps the compiler from
 * doing them in the caller and passing the value.) */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACY static __attribute__((noinline, used, no_sanitize("thread")))
#define HIDES_RACES true
#endif
#endif
#if !defined(RACY)
#define RACY INLINE
#define HIDES_RACES false
#endif

/* Whether a sanitizer's code is between ours: registers then hold other things, too. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED true
#endif
#if !defined(INSTRUMENTED)
#define INSTRUMENTED false
#define WR_OWN_JUMPS
#endif

/* As setjmp() and longjmp(), with less to save, where clang has it: what is in registers is lost. Sanitizers must see
 * the jump, so libc's does it there. */
#if defined(WR_OWN_JUMPS) && defined(__clang__) && defined(__x86_64__)
typedef void *JumpPoint[5];
#define JUMP_POINT_SET(point) __builtin_setjmp(point)
#define JUMP_POINT_GO(point) __builtin_longjmp(point, 1)
#else
#include <setjmp.h>
typedef jmp_buf JumpPoint;
#define JUMP_POINT_SET(point) setjmp(point)
#define JUMP_POINT_GO(point) longjmp(point, 1)
#endif

/* Little-endian loads and stores at any alignment (WebAssembly and WASI are little-endian). */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WR_LE16(x) (x)
#define WR_LE32(x) (x)
#define WR_LE64(x) (x)
#else
#define WR_LE16(x) __builtin_bswap16(x)
#define WR_LE32(x) __builtin_bswap32(x)
#define WR_LE64(x) __builtin_bswap64(x)
#endif

INLINE u16 le16_load(const void *p) {
    u16 v;
    memcpy(&v, p, sizeof v);
    return WR_LE16(v);
}
INLINE u32 le32_load(const void *p) {
    u32 v;
    memcpy(&v, p, sizeof v);
    return WR_LE32(v);
}
INLINE u64 le64_load(const void *p) {
    u64 v;
    memcpy(&v, p, sizeof v);
    return WR_LE64(v);
}
INLINE void le16_store(void *p, u16 v) {
    v = WR_LE16(v);
    memcpy(p, &v, sizeof v);
}
INLINE void le32_store(void *p, u32 v) {
    v = WR_LE32(v);
    memcpy(p, &v, sizeof v);
}
INLINE void le64_store(void *p, u64 v) {
    v = WR_LE64(v);
    memcpy(p, &v, sizeof v);
}

/* Checked arithmetic: true when the result fits. */
INLINE bool add_size(size_t a, size_t b, size_t *sum) { return !__builtin_add_overflow(a, b, sum); }
INLINE bool mul_size(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}
/* Of a value that is not 0. */
INLINE u32 trailing_zeros(u64 x) { return (u32)__builtin_ctzll(x); }
INLINE u32 min_u32(u32 a, u32 b) { return a < b ? a : b; }
INLINE u64 min_u64(u64 a, u64 b) { return a < b ? a : b; }

/* One value on the fiber's stack, in a global or in an argument array: 8 bytes. i32, f32 and
 * references are stored zero-extended to all 8 (so that no 32-bit store meets a 64-bit load);
 * v128 takes two adjacent slots, low half first. Layout-compatible with wr_slot_t. */
typedef union Slot {
    u32 u32;
    i32 i32;
    u64 u64;
    i64 i64;
    f32 f32;
    f64 f64;
    u64 ref;
} Slot;

#endif
