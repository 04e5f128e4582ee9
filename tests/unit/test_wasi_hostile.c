/* WASI: calls with arbitrary arguments; nothing may crash, hang, leave the directory or leak. */
#include "wasi_mock.h"

#include <sys/resource.h>

static void start_hostile(void) {
    start_with_root();
    guest.patience = 100000;
    signal(SIGXFSZ, SIG_IGN); /* arbitrary files are not to fill the disk */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 24, 1 << 24});
}

TestSuite(wasi_hostile, .init = start_hostile, .fini = stop_guest, .timeout = 240);

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Numbers that tend to be near something. */
static uint64_t any_number(void) {
    static const uint64_t edges[] = {0,          1,         MEMORY_SIZE, INT32_MAX,
                                     UINT32_MAX, INT64_MAX, UINT64_MAX};
    switch (next_random() % 5) {
    case 0: return edges[next_random() % 7] + next_random() % 3 - 1;
    case 1: return next_random() % 8;
    case 2: return next_random() % 64;
    case 3: return next_random() % MEMORY_SIZE;
    default: return next_random();
    }
}

static uint32_t any_path(void) {
    static const char *const paths[] = {"a",    "b",      "a/b",  "..",       ".",  "a/..",
                                        "../x", "/",      "l",    "l/a",      "a/", "l/",
                                        "",     "b/../a", "\xFF", "a/../../x"};
    return guest_string(paths[next_random() % 16]) & 0xFFFFF;
}

static void call_anything(int world) {
    size_t index = next_random() % linker.count[world];
    const char *name = linker.functions[world][index].name;
    const char *signature = linker.functions[world][index].signature;
    size_t count = (size_t)(strchr(signature, '>') - signature);
    uint64_t args[16];
    for (size_t i = 0; i < count; i++) args[i] = any_number();
    if (count && next_random() % 4 && strstr(name, "d_") && next_random() % 2)
        args[0] = next_random() % 8;
    if (strncmp(name, "path_", 5) == 0 && next_random() % 4) {
        size_t at =
            strstr(name, "filestat") || strstr(name, "link") || strstr(name, "open") ? 2 : 1;
        args[0] = 3;
        args[at] = any_path();
        args[at + 1] = next_random() % 8;
        if (count > 6) args[5] = args[5] % 2 ? any_path() : args[5];
    }
    if (strcmp(name, "random_get") == 0) args[1] %= 100000; /* it takes its time */
    if (strcmp(name, "fd_close") == 0 && next_random() % 3) args[0] = 4 + next_random() % 4;
    guest.polls = 3;
    invoke(world, name, args, count);
}

static void scramble_memory(void) {
    for (int i = 0; i < 32; i++)
        put_u64(guest.memory + next_random() % (MEMORY_SIZE - 8), any_number());
    for (int i = 0; i < 64; i++) /* likely iovecs and subscriptions */
        put_u32(guest.memory + 4 * (size_t)i, (uint32_t)any_number());
}

Test(wasi_hostile, survives_arbitrary_calls) {
    char secret[128];
    snprintf(secret, sizeof secret, "%s/x", base_dir);
    cr_assert_eq(symlink("..", host_path("l")), 0);
    for (int i = 0; i < 60000; i++) {
        if (i % 1000 == 0) {
            wr_wasi_delete(wasi);
            memset(&linker, 0, sizeof linker);
            wasi = wr_wasi_new();
            cr_assert_null(wr_wasi_link(wasi, &linker));
            cr_assert_null(wr_wasi_preopen_dir(wasi, root, "/", i % 2000 ? WR_WASI_READ_ONLY : 0));
            wasi->walk = i % 3000 == 0;
        }
        if (i % 8 == 0) scramble_memory();
        call_anything(i & 1);
    }
    cr_assert_neq(access(secret, F_OK), 0, "nothing was made outside");
}
