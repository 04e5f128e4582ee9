/*
 * wasi.h - the context of one guest and the call in progress; what the handlers share.
 *
 * Everything a guest can observe of its surroundings is in struct wr_wasi: nothing is kept in static
 * variables, so a context can be listed, and two of them never meet. Threads of one guest share it: what
 * changes once the guest runs is the table of descriptors (fdtable.h) and its threads (threads.c), and both
 * have their locks. The public functions on it (wr_wasi_new() and so on) are in wasi.c; a handler (`Errno wr_wasi_<name>(Call *)`, see
 * preview1.def) lives in the file of its area: args.c clock.c dir.c fd.c path.c poll.c proc.c
 * random.c sock.c.
 */
#ifndef WR_WASI_H
#define WR_WASI_H

#include "abi.h"
#include "fdtable.h"
#include "wasmrun.h"

/* Zero-terminated strings in one block, as guests want them. */
typedef struct StringList {
    char *bytes;
    size_t size, count; /* of bytes; of strings */
} StringList;

/* What the guest may do with standard streams. */
#define STDIN_RIGHTS (RIGHTS_REGULAR & ~RIGHTS_CHANGING)
#define STDOUT_RIGHTS (RIGHTS_REGULAR & ~WASI_RIGHTS_FD_READ)

struct Call;

typedef struct WasiFunc {
    const char *name, *signature;
    Errno (*handler)(struct Call *call);
    bool stable_only;
} WasiFunc;

/* One function of one of the two import modules: the context of a host function. */
typedef struct Binding {
    wr_wasi_t *wasi;
    const WasiFunc *func;
    bool unstable;
} Binding;

enum { WASI_FUNC_COUNT = 46 };

/* A standard stream in memory: what is read from, or what was written. */
typedef struct ByteStream {
    char *data;
    size_t size, capacity, limit, position;
} ByteStream;
void wr_byte_streams_free(wr_wasi_t *wasi);

struct wr_wasi {
    FdTable table;
    StringList args, environment;
    ByteStream bytes[3];
    wr_wasi_callbacks_t callbacks[3];
    /* Time and randomness, unless they are the host's: clock.now or random NULL. */
    wr_wasi_clock_t clock;
    bool is_time_fixed, is_seeded;
    _Atomic(uint64_t) fixed_time, seed;
    uint64_t time_step;
    wr_wasi_random_t random;
    void *random_context;
    /* Resolve paths by components: the kernel has no better way, or a test asks for it. */
    atomic_bool walk;
    Binding bindings[2][WASI_FUNC_COUNT];
    struct VirtualTree *trees; /* of files that the embedder gives */
    struct Threads *threads;   /* NULL if the guest can have none */
    void (*free_threads)(struct Threads *threads);
};

/* More than any handler holds at a time. */
enum { HELD_LIMIT = 8 };

/* A call in progress. A handler that sets `trap` ends the guest; its result is then ignored. */
typedef struct Call {
    wr_wasi_t *wasi;
    wr_caller_t *caller;
    const wr_slot_t *args;
    wr_error_t *trap;             /* owned */
    bool unstable;                /* through wasi_unstable: three layouts differ */
    Descriptor *held[HELD_LIMIT]; /* released when the call is over */
    uint32_t held_count;
} Call;

/* "out of memory", as an error; the caller's. */
wr_error_t *wr_wasi_no_memory(void);

/* Every function by name, for the linker and for tests; `index` < WASI_FUNC_COUNT. */
const WasiFunc *wr_wasi_func(size_t index);

/* Descriptors by guest number, with all of `rights`: else BADF, NOTCAPABLE, or PERM when a right
 * that changes something meets a read-only directory. Valid until the call is over. */
Errno wr_wasi_descriptor(Call *call, uint32_t fd, uint64_t rights, Descriptor **result);
/* The same; NOTDIR unless it is a directory. */
Errno wr_wasi_directory(Call *call, uint32_t fd, uint64_t rights, Descriptor **result);
/* The same; ISDIR if it is a directory. */
Errno wr_wasi_file(Call *call, uint32_t fd, uint64_t rights, Descriptor **result);
/* Of what the last of these calls has given, the caller becomes the holder. */
void wr_wasi_keep(Call *call, const Descriptor *descriptor);

#define WASI_FUNC(name, signature, handler, worlds) Errno handler(Call *call);
#include "preview1.def"
#undef WASI_FUNC

#endif
