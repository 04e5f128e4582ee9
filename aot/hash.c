/*
 * hash.c - see hash.h: four lanes, each of which takes 16 bytes by one multiplication to 128 bits whose
 * halves are folded into each other.
 */
#include "hash.h"

static const u64 keys[8] = {/* digits of pi */
                            0x243F6A8885A308D3u, 0x13198A2E03707344u, 0xA4093822299F31D0u,
                            0x082EFA98EC4E6C89u, 0x452821E638D01377u, 0xBE5466CF34E90C6Cu,
                            0xC0AC29B7C97C50DDu, 0x3F84D5B5B5470917u};

static u64 fold(u64 a, u64 b) {
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

/* Keeps what it had beside the product: a factor of zero loses nothing. */
static u64 mix(u64 lane, const u8 *at, u64 key) {
    u64 a = le64_load(at), b = le64_load(at + 8);
    return fold(a ^ key, b ^ lane) + (lane << 29 | lane >> 35) + a;
}

static Hash128 finish(const u64 lanes[4], u64 size) {
    u64 low =
        fold(lanes[0] ^ keys[4], lanes[1] ^ size) ^ fold(lanes[2] ^ keys[5], lanes[3] ^ keys[6]);
    u64 high =
        fold(lanes[0] ^ keys[7], lanes[2] ^ size) ^ fold(lanes[1] ^ keys[6], lanes[3] ^ keys[4]);
    return (Hash128){fold(low ^ keys[0], high ^ keys[1]), fold(high ^ keys[2], low ^ keys[3])};
}

Hash128 wr_hash(const void *data, u64 size, u64 seed) {
    const u8 *at = data;
    u64 lanes[4], left = size;
    for (u32 i = 0; i < 4; i++) lanes[i] = keys[i] + seed * (2 * i + 1);
    for (; left >= 64; left -= 64, at += 64)
        for (u32 i = 0; i < 4; i++) lanes[i] = mix(lanes[i], at + 16 * i, keys[i]);
    u8 rest[64] = {0};
    if (left > 0) memcpy(rest, at, (size_t)left);
    for (u32 i = 0; i < 4; i++) lanes[i] = mix(lanes[i], rest + 16 * i, keys[i]);
    return finish(lanes, size);
}
