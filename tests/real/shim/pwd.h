/* No user database in WASI: nobody is found (see posix.h). */
#ifndef WASMRUN_TESTS_PWD_SHIM_H
#define WASMRUN_TESTS_PWD_SHIM_H

#include <stddef.h>
#include <sys/types.h>

struct passwd {
    char *pw_name, *pw_dir, *pw_shell;
    uid_t pw_uid;
    gid_t pw_gid;
};

static inline struct passwd *getpwuid(uid_t uid) {
    (void)uid;
    return NULL;
}
static inline struct passwd *getpwnam(const char *name) {
    (void)name;
    return NULL;
}

#endif
