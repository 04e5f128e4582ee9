/*
 * survive.c - the property of the mutation driver: what loads can be run within limits, in little memory, and leaves
 * nothing behind.
 */
#include "guest.h"
#include "property.h"

_Static_assert(sizeof(GuestStats) <= PROPERTY_STATS * sizeof(u64), "room");

#define ULL(x) ((unsigned long long)(x))

static void run(const u8 *data, size_t size, u64 number, u64 *stats) {
    wr_fuzz_guest(data, size, number % 2 ? WR_MEMORY_GUARD : WR_MEMORY_EXPLICIT,
                  (GuestStats *)(void *)stats);
}

/* All are sums, but for the peak. */
static void add(u64 *to, const u64 *from) {
    GuestStats *sum = (GuestStats *)(void *)to;
    const GuestStats *more = (const GuestStats *)(const void *)from;
    u64 peak = sum->peak > more->peak ? sum->peak : more->peak;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) to[i] += from[i];
    sum->peak = peak;
}

static void print(const u64 *stats) {
    const GuestStats *s = (const GuestStats *)(const void *)stats;
    static const char *const trap_names[TRAP_CODES] = {"none",
                                                       "unreachable",
                                                       "memory bounds",
                                                       "table bounds",
                                                       "array bounds",
                                                       "undefined element",
                                                       "uninitialized element",
                                                       "indirect call type",
                                                       "divide by zero",
                                                       "integer overflow",
                                                       "invalid conversion",
                                                       "null reference",
                                                       "null function",
                                                       "null structure",
                                                       "null array",
                                                       "null i31",
                                                       "null exception",
                                                       "null descriptor",
                                                       "cast failure",
                                                       "descriptor cast failure",
                                                       "unaligned atomic",
                                                       "expected shared memory",
                                                       "stack exhausted",
                                                       "allocation failure",
                                                       "out of fuel",
                                                       "deadline",
                                                       "interrupted",
                                                       "host"};
    printf("modules %llu: malformed %llu, invalid %llu, over a limit %llu, loaded %llu, "
           "linked %llu, instantiated %llu\n",
           ULL(s->modules), ULL(s->refused[WR_ERROR_MALFORMED]), ULL(s->refused[WR_ERROR_INVALID]),
           ULL(s->refused[WR_ERROR_MEMORY]), ULL(s->loaded), ULL(s->linked), ULL(s->instantiated));
    printf("calls %llu: returned %llu; they and instantiations: trapped %llu, threw %llu, "
           "exited %llu, out of memory %llu\ntraps:",
           ULL(s->calls), ULL(s->returned), ULL(s->failed[WR_ERROR_TRAP]),
           ULL(s->failed[WR_ERROR_EXCEPTION]), ULL(s->failed[WR_ERROR_EXIT]),
           ULL(s->failed[WR_ERROR_MEMORY]));
    for (size_t i = 0; i < TRAP_CODES; i++)
        if (s->traps[i]) printf(" %s %llu,", trap_names[i], ULL(s->traps[i]));
    printf(" no others\nlargest heap %llu KB\n", ULL(s->peak / 1024));
}

const Property wr_property = {
    .batch = 10000, .slow_ms = 2000, .run = run, .add = add, .print = print};
