/*
 * mutator.c - has libFuzzer make half of its inputs the way mutants.c does, which knows modules. For the
 * targets that take modules.
 */
#include "mutants.h"

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2, size_t size2,
                                 u8 *out, size_t max_size, unsigned seed);

static Bytes copy_of(const u8 *data, size_t size) {
    Bytes bytes = {malloc(size + 1), size, size + 1};
    CHECK(bytes.data);
    if (size) memcpy(bytes.data, data, size);
    return bytes;
}

static size_t mutate(Bytes bytes, const Seed *other, u8 *out, size_t max_size, Random *random) {
    for (u64 changes = 1 + random_below(random, 3); changes > 0; changes--)
        wr_mutate(random, &bytes, other);
    size_t count = min_u64(bytes.size, max_size);
    if (count) memcpy(out, bytes.data, count);
    free(bytes.data);
    return count;
}

/* Pieces come from elsewhere in the same module. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed) {
    Random random = {seed};
    if (random_one_in(&random, 2)) return LLVMFuzzerMutate(data, size, max_size);
    Bytes same = copy_of(data, size);
    Seed other = {NULL, same.data, size};
    size_t count = mutate(copy_of(data, size), &other, data, max_size, &random);
    free(same.data);
    return count;
}

size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1, const u8 *data2, size_t size2,
                                 u8 *out, size_t max_size, unsigned seed) {
    Random random = {seed};
    Bytes theirs = copy_of(data2, size2);
    Seed other = {NULL, theirs.data, size2};
    size_t count = mutate(copy_of(data1, size1), &other, out, max_size, &random);
    free(theirs.data);
    return count;
}
