/*
 * os_cpu.c - a part of the OS seam (os.h): which of its optional instructions the processor has, by LLVM's names for
 * them, and whether the system saves the registers that they use.
 */
#define _GNU_SOURCE
#include "os.h"

typedef struct CpuFeature {
    const char *name;
    u8 word; /* of those that read_words() reads */
    u8 bit;
} CpuFeature;

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

enum { ALWAYS, C1, D1, B7, C7, D7, A71, D71, C81, STATE, WORDS };
#define NEEDS_AVX 0x20u    /* the system saves the upper halves, ... */
#define NEEDS_AVX512 0x40u /* ... and the rest of them; in the word's upper bits */
#define WORD 0x1Fu

/* What LLVM's code generator may use unasked; and names that are in its list of a host's features, but are of
 * the system's concern (ALWAYS). */
static const CpuFeature features[] = {
    {"sse3", C1, 0},
    {"pclmul", C1, 1},
    {"ssse3", C1, 9},
    {"fma", C1 | NEEDS_AVX, 12},
    {"cx16", C1, 13},
    {"sse4.1", C1, 19},
    {"sse4.2", C1, 20},
    {"crc32", C1, 20},
    {"movbe", C1, 22},
    {"popcnt", C1, 23},
    {"aes", C1, 25},
    {"avx", C1 | NEEDS_AVX, 28},
    {"f16c", C1 | NEEDS_AVX, 29},
    {"rdrnd", C1, 30},
    {"cx8", D1, 8},
    {"cmov", D1, 15},
    {"mmx", D1, 23},
    {"fxsr", D1, 24},
    {"sse", D1, 25},
    {"sse2", D1, 26},
    {"fsgsbase", B7, 0},
    {"bmi", B7, 3},
    {"avx2", B7 | NEEDS_AVX, 5},
    {"bmi2", B7, 8},
    {"rtm", B7, 11},
    {"avx512f", B7 | NEEDS_AVX512, 16},
    {"evex512", B7 | NEEDS_AVX512, 16},
    {"avx512dq", B7 | NEEDS_AVX512, 17},
    {"rdseed", B7, 18},
    {"adx", B7, 19},
    {"avx512ifma", B7 | NEEDS_AVX512, 21},
    {"clflushopt", B7, 23},
    {"clwb", B7, 24},
    {"avx512cd", B7 | NEEDS_AVX512, 28},
    {"sha", B7, 29},
    {"avx512bw", B7 | NEEDS_AVX512, 30},
    {"avx512vl", B7 | NEEDS_AVX512, 31},
    {"avx512vbmi", C7 | NEEDS_AVX512, 1},
    {"avx512vbmi2", C7 | NEEDS_AVX512, 6},
    {"gfni", C7, 8},
    {"vaes", C7 | NEEDS_AVX, 9},
    {"vpclmulqdq", C7 | NEEDS_AVX, 10},
    {"avx512vnni", C7 | NEEDS_AVX512, 11},
    {"avx512bitalg", C7 | NEEDS_AVX512, 12},
    {"avx512vpopcntdq", C7 | NEEDS_AVX512, 14},
    {"rdpid", C7, 22},
    {"movdiri", C7, 27},
    {"movdir64b", C7, 28},
    {"avx512vp2intersect", D7 | NEEDS_AVX512, 8},
    {"avx512fp16", D7 | NEEDS_AVX512, 23},
    {"sha512", A71 | NEEDS_AVX, 0},
    {"sm3", A71 | NEEDS_AVX, 1},
    {"sm4", A71 | NEEDS_AVX, 2},
    {"avxvnni", A71 | NEEDS_AVX, 4},
    {"avx512bf16", A71 | NEEDS_AVX512, 5},
    {"avxifma", A71 | NEEDS_AVX, 23},
    {"avxvnniint8", D71 | NEEDS_AVX, 4},
    {"avxneconvert", D71 | NEEDS_AVX, 5},
    {"avxvnniint16", D71 | NEEDS_AVX, 10},
    {"sahf", C81, 0},
    {"lzcnt", C81, 5},
    {"sse4a", C81, 6},
    {"prfchw", C81, 8},
    {"xop", C81 | NEEDS_AVX, 11},
    {"fma4", C81 | NEEDS_AVX, 16},
    {"tbm", C81, 21},
    {"64bit", ALWAYS, 0},
    {"x87", ALWAYS, 0},
    {"cldemote", ALWAYS, 0},
    {"clzero", ALWAYS, 0},
    {"enqcmd", ALWAYS, 0},
    {"hreset", ALWAYS, 0},
    {"invpcid", ALWAYS, 0},
    {"kl", ALWAYS, 0},
    {"lwp", ALWAYS, 0},
    {"mwaitx", ALWAYS, 0},
    {"pconfig", ALWAYS, 0},
    {"pku", ALWAYS, 0},
    {"prefetchi", ALWAYS, 0},
    {"ptwrite", ALWAYS, 0},
    {"rdpru", ALWAYS, 0},
    {"serialize", ALWAYS, 0},
    {"sgx", ALWAYS, 0},
    {"shstk", ALWAYS, 0},
    {"tsxldtrk", ALWAYS, 0},
    {"uintr", ALWAYS, 0},
    {"usermsr", ALWAYS, 0},
    {"waitpkg", ALWAYS, 0},
    {"wbnoinvd", ALWAYS, 0},
    {"widekl", ALWAYS, 0},
    {"xsave", ALWAYS, 0},
    {"xsavec", ALWAYS, 0},
    {"xsaveopt", ALWAYS, 0},
    {"xsaves", ALWAYS, 0},
};

/* Which registers the system saves: 0 where nobody says. */
static u32 saved_state(u32 c1) {
    u32 low, high;
    if ((c1 >> 27 & 1) == 0) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Asked once: under a hypervisor each question takes a microsecond or more. */
static _Atomic(u32) words[WORDS];
static atomic_bool is_read;

static void read_words(void) {
    u32 a, b, c, d;
    words[ALWAYS] = 1;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        words[C1] = c;
        words[D1] = d;
        words[STATE] = saved_state(c);
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        words[B7] = b;
        words[C7] = c;
        words[D7] = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
            words[A71] = a;
            words[D71] = d;
        }
    }
    if (__get_cpuid(0x80000001u, &a, &b, &c, &d)) words[C81] = c;
    is_read = true;
}

static bool has(const CpuFeature *feature) {
    if (!is_read) read_words();
    u32 state = words[STATE];
    if ((feature->word & NEEDS_AVX) != 0 && (state & 0x06) != 0x06) return false;
    if ((feature->word & NEEDS_AVX512) != 0 && (state & 0xE6) != 0xE6) return false;
    return (words[feature->word & WORD] >> feature->bit & 1) != 0;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

enum { HWCAP1, HWCAP2 };

static const CpuFeature features[] = {
    {"fp-armv8", HWCAP1, 0}, {"neon", HWCAP1, 1},       {"aes", HWCAP1, 3},
    {"sha2", HWCAP1, 6},     {"crypto", HWCAP1, 6},     {"crc", HWCAP1, 7},
    {"lse", HWCAP1, 8},      {"fullfp16", HWCAP1, 10},  {"rdm", HWCAP1, 12},
    {"jsconv", HWCAP1, 13},  {"complxnum", HWCAP1, 14}, {"rcpc", HWCAP1, 15},
    {"sha3", HWCAP1, 17},    {"sm4", HWCAP1, 19},       {"dotprod", HWCAP1, 20},
    {"sve", HWCAP1, 22},     {"fp16fml", HWCAP1, 23},   {"flagm", HWCAP1, 27},
    {"sb", HWCAP1, 29},      {"sve2", HWCAP2, 1},       {"altnzcv", HWCAP2, 7},
    {"fptoint", HWCAP2, 8},  {"i8mm", HWCAP2, 13},      {"bf16", HWCAP2, 14},
    {"rand", HWCAP2, 16},
};

static bool has(const CpuFeature *feature) {
    u64 words[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    return (words[feature->word] >> feature->bit & 1) != 0;
}

#else

static const CpuFeature features[] = {{"", 0, 0}};
static bool has(const CpuFeature *feature) {
    (void)feature;
    return false;
}

#endif

bool wr_os_cpu_has(const char *name, size_t size) {
    for (size_t i = 0; i < ARRAY_LEN(features); i++)
        if (strlen(features[i].name) == size && memcmp(features[i].name, name, size) == 0)
            return has(&features[i]);
    return false;
}
