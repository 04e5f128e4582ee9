/*
 * random.c - random_get: lengths, bounds, and that it is not constant.
 */
#include "guest.h"
#include <errno.h>
#include <unistd.h>

static uint8_t big[1 << 20];

int main(void) {
    uint8_t a[40], b[40];
    memset(a, 0x5a, sizeof a);
    CALL(__wasi_random_get(a, 0));
    bool untouched = true;
    for (size_t i = 0; i < sizeof a; i++) untouched = untouched && a[i] == 0x5a;
    CHECK(untouched);
    CALL(__wasi_random_get(a + 4, 32));
    CHECK(a[3] == 0x5a && a[36] == 0x5a);
    CALL(__wasi_random_get(b + 4, 32));
    CHECK(memcmp(a + 4, b + 4, 32) != 0);

    CALL(__wasi_random_get(big, sizeof big));
    unsigned counts[256] = {0}, least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < sizeof big; i++) counts[big[i]]++;
    for (int i = 0; i < 256; i++) {
        least = counts[i] < least ? counts[i] : least;
        most = counts[i] > most ? counts[i] : most;
    }
    CHECK(least > 3500 && most < 4700); /* 4096 expected; 9 standard deviations */

    CHECK(getentropy(a, sizeof a) == 0);
    CHECK(getentropy(big, 257) == -1 && errno == EIO);
    return 0;
}
