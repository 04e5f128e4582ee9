/*
 * error.h - the error object behind wr_error_t: decode, validation and link errors, traps, exits.
 *
 * Inside the library an Error is made once, at the place that knows, and passed up by pointer; the
 * first error wins. Out of memory while making one gives the static wr_error_out_of_memory, which
 * wr_error_delete() leaves alone.
 */
#ifndef WR_ERROR_H
#define WR_ERROR_H

#include "base.h"
#include "wasmrun.h"

typedef struct wr_error Error;

extern Error wr_error_oom_object;
#define ERROR_OOM (&wr_error_oom_object)

/* What an activation ends with that has written its frames down (frames.h), since the call is to pause: no error, known
 * to engines only, and never deleted or added to. */
extern Error wr_error_paused_object;
#define ERROR_PAUSED (&wr_error_paused_object)

/* Never NULL. `offset` is a byte offset in the module, or NO_OFFSET. The format is in errors' words
 * of the official test suite, then details after a colon. */
#define NO_OFFSET UINT64_MAX
Error *wr_error_at(wr_error_kind_t kind, u64 offset, const char *format, ...) PRINTF(3, 4);
Error *
wr_error_trap(wr_trap_code_t code); /* message as in the suite: "integer divide by zero", ... */
/* The same with the index of a table's element behind the message. */
Error *wr_error_trap_element(wr_trap_code_t code, u64 element);
const char *wr_trap_message(wr_trap_code_t code);

/* A place in a text, for errors in the text format: `size` bytes at line and column (1 is the first;
 * the column in bytes) of the named file. The line starts at `line_start`, the text ends at `end`. */
typedef struct TextPlace {
    const char *file;
    u32 line, column, size;
    const char *line_start, *end;
} TextPlace;
/* The error keeps the line, or what is near the place in it. */
Error *wr_error_in_text(wr_error_kind_t kind, const TextPlace *place, const char *message);

/*
 * An exception that leaves the outermost function of a call. The error keeps it alive, as long as
 * the store lives, and a host function that returns the error to its caller throws it on. Such
 * an error belongs to the store's thread: making, asking and deleting it touch the store.
 */
typedef struct wr_store Store;
Error *wr_error_exception(Store *store, u32 ref);
/* The exception that a host function which returned `error` throws, or 0. */
u32 wr_error_exception_ref(const Error *error, const Store *store);
/* The store of its exception; NULL if it carries none, or the store is gone. */
Store *wr_error_store(const Error *error);
/* For the store: visits the exceptions in errors; lets errors outlive it. */
void wr_errors_visit(Store *store, void (*visit)(void *context, u64 ref), void *context);
void wr_errors_forget(Store *store);

/* Backtrace frames are added by the engine, innermost first; beyond the kept number they are only
 * counted. Names are copied into the error (escaped: control characters and invalid UTF-8 never
 * reach the terminal). Returns false when out of memory: the frame is then only counted. */
typedef struct wr_module Module;
typedef struct wr_instance Instance;
void wr_error_add_frame(Error *error, Instance *instance, u32 func_index, u64 module_offset);
void wr_error_add_host_frame(Error *error, const char *module, const char *name);
/* Counts frames that would not be kept: at least BACKTRACE_END were added before, and will be after. */
#define BACKTRACE_END 32u /* frames kept at either end */
void wr_error_skip_frames(Error *error, size_t count);

#endif
