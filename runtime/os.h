/*
 * os.h - the operating system, as the library needs it: address space, faults, threads, clocks, files.
 * One half of the OS seam (wasi/os.h is the other): os_posix.c, os_process_posix.c, os_stop_posix.c and os_cpu.c implement it, nothing else in
 * runtime/, interpreter/ or embed/ makes a system call or names a platform.
 */
#ifndef WR_OS_H
#define WR_OS_H

#include <stdatomic.h>

#include "base.h"

size_t wr_os_page_size(void);

/* Address space. Reserve gives inaccessible, uncommitted addresses (NULL on failure); commit makes
 * a page-aligned part readable, writable and zero; decommit gives its pages back (it reads as zero after the
 * next commit). Sizes are rounded up to pages. */
NODISCARD void *wr_os_reserve(size_t size);
NODISCARD bool wr_os_commit(void *address, size_t size);
void wr_os_decommit(void *address, size_t size);
void wr_os_release(void *address, size_t size);
/* A hint, for any writable bytes: all will be written now. A large part's pages then come at once, for a quarter
 * of what they cost one by one. */
void wr_os_will_write(void *address, size_t size);

/* Drops the contents of committed pages: anonymous ones read as zeros, those of an image as the image. */
void wr_os_reset(void *address, size_t size);
/* How many mappings the process may have; reserving fails for everybody once it has them. */
size_t wr_os_max_mappings(void);

/* An image: bytes that any number of mappings share until they write to them. `bytes` is a read-only
 * mapping, `size` whole pages. False when the host has no such thing, or refuses. It may also be a part of a file, whole
 * pages from `offset` on, whose descriptor somebody else keeps (wr_os_open_file()). */
typedef struct OsImage {
    int descriptor;
    u64 offset;
    const u8 *bytes;
    size_t size;
} OsImage;
NODISCARD bool wr_os_image_new(const u8 *bytes, size_t size, OsImage *image);
void wr_os_image_free(OsImage *image);
/* Puts the image in the place of committed pages: readable, writable, private. False leaves them as
 * they were. */
NODISCARD bool wr_os_image_map(const OsImage *image, void *address);

/* Tells which pages have been written to. False when the host cannot: nothing is to be closed then. It
 * tells nothing in a child process, which has pages of its own. */
typedef struct OsScanner {
    int descriptor;
    u32 *parent; /* reads as zero in a child process */
} OsScanner;
NODISCARD bool wr_os_scanner_open(OsScanner *scanner);
void wr_os_scanner_close(OsScanner *scanner);
/* Pages [start, end). */
typedef struct OsPages {
    u64 start, end, opaque;
} OsPages;
/* Lists committed pages in [address, address + size) that were written to since they were committed,
 * mapped to an image, or reset. False when it cannot tell, or when there are more than max_pages, or
 * more runs of them than max_runs. */
NODISCARD bool wr_os_scan(const OsScanner *scanner, const void *address, size_t size,
                          size_t max_pages, OsPages *runs, u32 max_runs, u32 *count);

/* Maps a whole regular file read-only, private. False with errno text in *why (static) on failure;
 * an empty file gives *size 0 and *address NULL. */
NODISCARD bool wr_os_map_file(const char *path, const u8 **address, u64 *size, const char **why);
void wr_os_unmap_file(const u8 *address, u64 size);
/* As wr_os_map_file(), and leaves the file open, for images. */
NODISCARD bool wr_os_open_file(const char *path, int *descriptor, const u8 **address, u64 *size,
                               const char **why);
void wr_os_close_file(int descriptor);

/* Code. Whole pages of a file's mapping, or committed ones, which become readable and executable, and
 * never writable again; or readable only. False when the host does not allow it (a file on a
 * volume without programs). */
NODISCARD bool wr_os_make_executable(void *address, size_t size);
NODISCARD bool wr_os_make_readonly(void *address, size_t size);
/* The processor that this code runs on: "x86_64", "aarch64" (little-endian, 64-bit pointers), or "". */
const char *wr_os_machine(void);
/* Whether it has this optional feature, by LLVM's name ("avx2", "lse"), and the system supports it. False for
 * names that are not known. */
bool wr_os_cpu_has(const char *name, size_t size);

/* Nanoseconds of a clock that never goes back. */
u64 wr_os_now(void);
u32 wr_os_cpu_count(void);

/* A child process, talked to over a socket that is its standard input and output. argv ends with NULL, argv[0] is
 * the file. False with errno text in *why (static). Reading and writing is of all the bytes; false when
 * the other side is gone. Nothing of this raises signals. One with a `nice` value over 0 comes after others when
 * processors are scarce, and has no standard error: whoever waits for the end of ours does not wait for it. */
typedef struct OsProcess {
    i64 id;
    int socket;
} OsProcess;
NODISCARD bool wr_os_process_start(const char *const *argv, int nice, OsProcess *process,
                                   const char **why);
NODISCARD bool wr_os_process_write(const OsProcess *process, const void *data, size_t size);
NODISCARD bool wr_os_process_read(const OsProcess *process, void *data, size_t size);
void wr_os_process_kill(const OsProcess *process); /* it has still to be waited for */
/* It finds the other side gone, as others do that read or write here. */
void wr_os_process_hang_up(const OsProcess *process);
/* Hangs up, and does not wait for its end: it has something left to do. */
void wr_os_process_leave(OsProcess *process);
/* Waits for its end, after hanging up; how it ended goes to `how` as text. */
void wr_os_process_end(OsProcess *process, char *how, size_t size);
/* The file that this process runs; false when that is not known. */
NODISCARD bool wr_os_program_path(char *path, size_t size);
bool wr_os_file_is_program(const char *path); /* exists, and may be run */

/* Threads, for parallel validation and the deadline watchdog. */
typedef struct OsThread OsThread;
NODISCARD OsThread *wr_os_thread_start(void (*run)(void *), void *context); /* NULL on failure */
void wr_os_thread_join(OsThread *thread);
/* Small numbers that tell the calling thread from others, for spreading threads over places. */
u32 wr_os_thread_number(void);

typedef struct OsMutex {
    u64 opaque[8];
} OsMutex;
void wr_os_mutex_init(OsMutex *mutex);
void wr_os_mutex_lock(OsMutex *mutex);
void wr_os_mutex_unlock(OsMutex *mutex);
void wr_os_mutex_destroy(OsMutex *mutex);

typedef struct OsCond {
    u64 opaque[8];
} OsCond;
void wr_os_cond_init(OsCond *cond);
void wr_os_cond_signal(OsCond *cond);
/* Waits until signalled or until the clock of wr_os_now() reaches `until` (UINT64_MAX: for ever). */
void wr_os_cond_wait(OsCond *cond, OsMutex *mutex, u64 until);
void wr_os_cond_destroy(OsCond *cond);

/*
 * Memory faults. The first call installs a handler for the process (SIGSEGV and SIGBUS, on an alternate
 * stack, chained: faults that `on_fault` declines go to the previous handler, or crash as usual).
 * `on_fault` runs in the signal handler on the faulting thread: async-signal-safe code only. It looks at
 * the address and the machine registers, and either returns false (not ours), leaves by siglongjmp, or
 * returns true after wr_os_fault_go_on().
 * wr_os_fault_thread() prepares the calling thread (alternate stack); cheap when already done.
 */
typedef struct OsFault {
    u8 *address;     /* that could not be accessed */
    void *registers; /* opaque: for wr_os_fault_register() */
} OsFault;
NODISCARD bool wr_os_fault_install(bool (*on_fault)(const OsFault *fault));
NODISCARD bool wr_os_fault_thread(void);
/* True where handlers run with the preserve_none convention and the position of its arguments in the
 * machine's registers is known: then wr_os_fault_argument() gives argument `index` (0-based,
 * integer class) of the interrupted function. */
bool wr_os_fault_has_arguments(void);
u64 wr_os_fault_argument(const OsFault *fault, unsigned index);
/* The registers of the interrupted function: program counter, stack pointer, and the general ones by their
 * DWARF numbers. False where they are not known. */
#define OS_REGISTERS 32u
typedef struct OsRegisters {
    u64 pc, sp, general[OS_REGISTERS];
} OsRegisters;
NODISCARD bool wr_os_fault_registers(const OsFault *fault, OsRegisters *registers);
/* When the handler returns, the thread is in `function`, with two arguments, on the stack where it was:
 * nothing is on it to return to. Only where wr_os_fault_registers() is true. */
void wr_os_fault_go_on(const OsFault *fault, void (*function)(void), u64 first, u64 second);

/*
 * Stops: another thread is interrupted wherever it is. The first call installs a handler for the process (SIGURG, on
 * the alternate stack, chained: a handler that was there is called, too). `on_stop` runs in it on the thread that
 * was sent the signal: async-signal-safe code only. It looks at the registers, as for a fault, and may go on
 * elsewhere; false: this was not the place for it, and the signal shall come again. False: not here.
 */
typedef bool (*OsStopFunc)(const OsFault *place);
bool wr_os_stops_supported(void);
NODISCARD bool wr_os_stop_install(OsStopFunc on_stop);
/* Prepares the calling thread; cheap when already done. Its number, by which others can send it the signal, until it
 * ends; 0: it cannot be stopped. */
#define OS_STOP_THREADS 32768u
u32 wr_os_stop_thread(void);
/* Sends it. Any thread, signal handlers too. A number that is no longer anybody's does no harm. */
void wr_os_stop_send(u32 number);
/* Sends it again to all threads that have not heard since the last time; true if there are any that have not heard. */
bool wr_os_stop_send_again(void);
/* The calling thread, which is prepared, has heard. */
void wr_os_stop_heard(void);

/* What one thread waits for and any may ring, signal handlers too where stops are supported. */
typedef struct OsBell {
    _Atomic(u32) rings;
    OsMutex lock; /* both where stops are not supported */
    OsCond wake;
} OsBell;
void wr_os_bell_init(OsBell *bell);
void wr_os_bell_destroy(OsBell *bell);
u32 wr_os_bell_rings(OsBell *bell); /* so far */
void wr_os_bell_ring(OsBell *bell);
/* Until it has rung more often than `rings`, or the clock of wr_os_now() reaches `until` (UINT64_MAX: for ever), or
 * for no reason. */
void wr_os_bell_wait(OsBell *bell, u32 rings, u64 until);

#endif
