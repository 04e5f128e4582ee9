/*
 * os_posix.c - os.h for POSIX systems: address space, files, clocks, threads, memory faults.
 *
 * The only file of runtime/, interpreter/ and embed/ that makes system calls or looks at a
 * platform. It knows nothing of WebAssembly. What differs between processors (where the arguments
 * of an interrupted handler are) is at the end, together with the fault handler.
 */
#define _GNU_SOURCE /* CPU_COUNT, registers of ucontext_t */
#define _DARWIN_C_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif

#define LARGE_WRITE 262144u /* bytes, more than a page: less is not worth a system call */

/* ---- address space -------------------------------------------------------------------------- */

size_t wr_os_page_size(void) {
    static atomic_size_t cached;
    size_t size = atomic_load_explicit(&cached, memory_order_relaxed);
    if (size == 0) {
        long n = sysconf(_SC_PAGESIZE);
        size = n > 0 ? (size_t)n : 4096;
        atomic_store_explicit(&cached, size, memory_order_relaxed);
    }
    return size;
}

/* `size` in whole pages; 0 when that does not fit. */
static size_t round_to_pages(size_t size) {
    size_t mask = wr_os_page_size() - 1;
    return add_size(size, mask, &size) ? size & ~mask : 0;
}

void *wr_os_reserve(size_t size) {
    size = round_to_pages(size);
    if (size == 0) return NULL;
    void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

bool wr_os_commit(void *address, size_t size) {
    if (size == 0) return true;
    size = round_to_pages(size);
    return size != 0 && mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

/* Mapping anew gives pages and their accounting back at once. Where that is refused (too many
 * mappings), the pages are at least emptied and closed. */
void wr_os_decommit(void *address, size_t size) {
    size = round_to_pages(size);
    if (size == 0) return;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (mmap(address, size, PROT_NONE, flags, -1, 0) != MAP_FAILED) return;
    if (madvise(address, size, MADV_DONTNEED) != 0) memset(address, 0, size);
    (void)mprotect(address, size, PROT_NONE);
}

void wr_os_release(void *address, size_t size) {
    if (address) (void)munmap(address, round_to_pages(size));
}

#if defined(MADV_POPULATE_WRITE)
/* Linux from 5.14 on; older ones refuse. */
void wr_os_will_write(void *address, size_t size) {
    size_t page = wr_os_page_size(), skipped = (page - (uintptr_t)address % page) % page;
    if (size < LARGE_WRITE) return;
    size -= skipped;
    (void)madvise((u8 *)address + skipped, size - size % page, MADV_POPULATE_WRITE);
}
#else
void wr_os_will_write(void *address, size_t size) {
    (void)address;
    (void)size;
}
#endif

#if defined(__linux__)
/* A private mapping of a file gets the file's pages back, an anonymous one zeros. */
void wr_os_reset(void *address, size_t size) {
    size = round_to_pages(size);
    if (size != 0) (void)madvise(address, size, MADV_DONTNEED);
}
#else
/* Elsewhere the advice may be ignored, and there are no images. */
void wr_os_reset(void *address, size_t size) {
    size = round_to_pages(size);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (size == 0 || mmap(address, size, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED)
        return;
    memset(address, 0, size);
}
#endif

#define USUAL_MAX_MAPPINGS 65530u /* Linux' own default; others have no such limit */

size_t wr_os_max_mappings(void) {
    unsigned long long limit = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (!file) return USUAL_MAX_MAPPINGS;
    bool ok = fscanf(file, "%llu", &limit) == 1;
    (void)fclose(file);
    return ok && limit > 0 && limit <= SIZE_MAX ? (size_t)limit : USUAL_MAX_MAPPINGS;
}

/* ---- images and written pages --------------------------------------------------------------- */

#if defined(__linux__)

static bool write_all(int fd, const u8 *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* Sealed: nobody can change under a guest what it has not written to yet. */
static bool fill_image(int fd, const u8 *bytes, size_t size, OsImage *image) {
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    size_t whole = round_to_pages(size);
    if (whole == 0 || ftruncate(fd, (off_t)whole) != 0 || !write_all(fd, bytes, size)) return false;
    if (fcntl(fd, F_ADD_SEALS, seals) != 0) return false;
    void *p = mmap(NULL, whole, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return false;
    *image = (OsImage){.descriptor = fd, .bytes = p, .size = whole};
    return true;
}

bool wr_os_image_new(const u8 *bytes, size_t size, OsImage *image) {
    int fd = memfd_create("wasm", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return false;
    if (fill_image(fd, bytes, size, image)) return true;
    (void)close(fd);
    return false;
}

void wr_os_image_free(OsImage *image) {
    (void)munmap((void *)(uintptr_t)image->bytes, image->size);
    (void)close(image->descriptor);
}

bool wr_os_image_map(const OsImage *image, void *address) {
    int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
    void *p = mmap(address, image->size, PROT_READ | PROT_WRITE, flags, image->descriptor,
                   (off_t)image->offset);
    return p != MAP_FAILED;
}

/* PAGEMAP_SCAN (Linux 6.7), which older headers do not know. */
typedef struct ScanArgument {
    u64 size, flags, start, end, walk_end, runs, max_runs, max_pages;
    u64 inverted, all_of, any_of, wanted;
} ScanArgument;
#define SCAN _IOWR('f', 16, ScanArgument)
#define PAGE_OF_FILE (1u << 2)
#define PAGE_PRESENT (1u << 3)
#define PAGE_SWAPPED (1u << 4)
#define PAGE_ZERO (1u << 5)

static bool scan(int fd, const void *address, size_t size, size_t max_pages, OsPages *runs,
                 u32 max_runs, u32 *count) {
    ScanArgument argument = {
        .size = sizeof argument,
        .start = (uintptr_t)address,
        .end = (uintptr_t)address + size,
        .runs = (uintptr_t)runs,
        .max_runs = max_runs,
        .max_pages = (u64)max_pages + 1,
        .inverted = PAGE_OF_FILE | PAGE_ZERO, /* that is, neither of them: pages of our own */
        .all_of = PAGE_OF_FILE | PAGE_ZERO,
        .any_of = PAGE_PRESENT | PAGE_SWAPPED,
        .wanted = PAGE_PRESENT,
    };
    int n = ioctl(fd, SCAN, &argument);
    if (n < 0 || argument.walk_end < argument.end) return false;
    *count = (u32)n;
    u64 pages = 0;
    for (int i = 0; i < n; i++) pages += (runs[i].end - runs[i].start) / wr_os_page_size();
    return pages <= max_pages;
}

_Static_assert(sizeof(OsPages) == 24, "struct page_region");

static bool open_scanner(OsScanner *scanner) {
    size_t page = wr_os_page_size();
    scanner->descriptor = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (scanner->descriptor < 0) return false;
    u32 count;
    OsPages run;
    if (madvise(scanner->parent, page, MADV_WIPEONFORK) == 0 &&
        scan(scanner->descriptor, scanner->parent, page, 1, &run, 1, &count) && count == 1) {
        return true;
    }
    (void)close(scanner->descriptor);
    return false;
}

bool wr_os_scanner_open(OsScanner *scanner) {
    scanner->parent = wr_os_reserve(wr_os_page_size());
    if (!scanner->parent) return false;
    if (wr_os_commit(scanner->parent, wr_os_page_size())) {
        *scanner->parent = 1;
        if (open_scanner(scanner)) return true;
    }
    wr_os_release(scanner->parent, wr_os_page_size());
    return false;
}

void wr_os_scanner_close(OsScanner *scanner) {
    (void)close(scanner->descriptor);
    wr_os_release(scanner->parent, wr_os_page_size());
}

bool wr_os_scan(const OsScanner *scanner, const void *address, size_t size, size_t max_pages,
                OsPages *runs, u32 max_runs, u32 *count) {
    return *scanner->parent == 1 && scan(scanner->descriptor, address, round_to_pages(size),
                                         max_pages, runs, max_runs, count);
}

#else

bool wr_os_image_new(const u8 *bytes, size_t size, OsImage *image) {
    (void)bytes, (void)size, (void)image;
    return false;
}
void wr_os_image_free(OsImage *image) { (void)image; }
bool wr_os_image_map(const OsImage *image, void *address) {
    (void)image, (void)address;
    return false;
}
bool wr_os_scanner_open(OsScanner *scanner) {
    (void)scanner;
    return false;
}
void wr_os_scanner_close(OsScanner *scanner) { (void)scanner; }
bool wr_os_scan(const OsScanner *scanner, const void *address, size_t size, size_t max_pages,
                OsPages *runs, u32 max_runs, u32 *count) {
    (void)scanner, (void)address, (void)size, (void)max_pages, (void)runs, (void)max_runs;
    *count = 0;
    return false;
}

#endif

/* ---- files ---------------------------------------------------------------------------------- */

static bool why_not(int error, const char **why) {
    *why = strerror(error);
    return false;
}

static bool map_descriptor(int fd, const u8 **address, u64 *size, const char **why) {
    struct stat st;
    if (fstat(fd, &st) != 0) return why_not(errno, why);
    if (S_ISDIR(st.st_mode)) return why_not(EISDIR, why);
    if (!S_ISREG(st.st_mode)) return *why = "not a regular file", false;
    *address = NULL;
    *size = (u64)st.st_size;
    if (*size == 0) return true;
    if (*size > SIZE_MAX) return why_not(EFBIG, why);
    void *p = mmap(NULL, (size_t)*size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return why_not(errno, why);
    *address = p;
    return true;
}

/* O_NONBLOCK: opening a fifo must not wait for a writer; it has no effect on regular files. */
bool wr_os_open_file(const char *path, int *descriptor, const u8 **address, u64 *size,
                     const char **why) {
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*descriptor < 0) return why_not(errno, why);
    bool ok = map_descriptor(*descriptor, address, size, why);
    if (!ok) wr_os_close_file(*descriptor);
    return ok;
}

void wr_os_close_file(int descriptor) { (void)close(descriptor); }

bool wr_os_map_file(const char *path, const u8 **address, u64 *size, const char **why) {
    int descriptor;
    if (!wr_os_open_file(path, &descriptor, address, size, why)) return false;
    wr_os_close_file(descriptor);
    return true;
}

void wr_os_unmap_file(const u8 *address, u64 size) {
    if (address) (void)munmap((void *)(uintptr_t)address, (size_t)size);
}

/* ---- code ----------------------------------------------------------------------------------- */

/* Processors that cache instructions apart from data have to be told of new ones. */
bool wr_os_make_executable(void *address, size_t size) {
    char *code = address;
    size_t whole = round_to_pages(size);
    if (whole == 0 || mprotect(address, whole, PROT_READ | PROT_EXEC) != 0) return false;
    __builtin___clear_cache(code, code + size);
    return true;
}

bool wr_os_make_readonly(void *address, size_t size) {
    size_t whole = round_to_pages(size);
    return whole != 0 && mprotect(address, whole, PROT_READ) == 0;
}

const char *wr_os_machine(void) {
#if defined(__x86_64__) && defined(__LP64__)
    return "x86_64";
#elif defined(__AARCH64EL__) && defined(__LP64__)
    return "aarch64";
#else
    return "";
#endif
}

/* ---- clocks and processors ------------------------------------------------------------------ */

#define NS_PER_S 1000000000u

u64 wr_os_now(void) {
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (u64)ts.tv_sec * NS_PER_S + (u64)ts.tv_nsec;
}

u32 wr_os_cpu_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (u32)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (u32)n : 1;
}

/* ---- threads -------------------------------------------------------------------------------- */

struct OsThread {
    pthread_t id;
    void (*run)(void *);
    void *context;
};

static void *thread_main(void *argument) {
    OsThread *thread = argument;
    thread->run(thread->context);
    return NULL;
}

/* Signals that are sent to the process are the embedder's: its own threads shall get them. Faults
 * are delivered to the thread that makes them and stay open. */
static int create_without_signals(OsThread *thread) {
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGTRAP);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->id, NULL, thread_main, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

OsThread *wr_os_thread_start(void (*run)(void *), void *context) {
    OsThread *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    thread->run = run;
    thread->context = context;
    if (create_without_signals(thread) == 0) return thread;
    free(thread);
    return NULL;
}

void wr_os_thread_join(OsThread *thread) {
    (void)pthread_join(thread->id, NULL);
    free(thread);
}

u32 wr_os_thread_number(void) {
    static _Atomic(u32) next;
    static _Thread_local u32 number; /* one more */
    if (number == 0) number = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) + 1;
    return number - 1;
}

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(OsMutex), "OsMutex is too small");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(OsMutex), "OsMutex is not aligned");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(OsCond), "OsCond is too small");
_Static_assert(_Alignof(pthread_cond_t) <= _Alignof(OsCond), "OsCond is not aligned");

static pthread_mutex_t *native_mutex(OsMutex *mutex) { return (void *)mutex->opaque; }
static pthread_cond_t *native_cond(OsCond *cond) { return (void *)cond->opaque; }

void wr_os_mutex_init(OsMutex *mutex) { (void)pthread_mutex_init(native_mutex(mutex), NULL); }
void wr_os_mutex_lock(OsMutex *mutex) { (void)pthread_mutex_lock(native_mutex(mutex)); }
void wr_os_mutex_unlock(OsMutex *mutex) { (void)pthread_mutex_unlock(native_mutex(mutex)); }
void wr_os_mutex_destroy(OsMutex *mutex) { (void)pthread_mutex_destroy(native_mutex(mutex)); }

void wr_os_cond_init(OsCond *cond) {
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    (void)pthread_cond_init(native_cond(cond), &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void wr_os_cond_signal(OsCond *cond) { (void)pthread_cond_signal(native_cond(cond)); }

#if defined(__APPLE__)
static void wait_until(OsCond *cond, OsMutex *mutex, u64 until) {
    u64 now = wr_os_now(), ns = until > now ? until - now : 0;
    struct timespec ts = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    (void)pthread_cond_timedwait_relative_np(native_cond(cond), native_mutex(mutex), &ts);
}
#else
static void wait_until(OsCond *cond, OsMutex *mutex, u64 until) {
    struct timespec ts = {(time_t)(until / NS_PER_S), (long)(until % NS_PER_S)};
    (void)pthread_cond_timedwait(native_cond(cond), native_mutex(mutex), &ts);
}
#endif

void wr_os_cond_wait(OsCond *cond, OsMutex *mutex, u64 until) {
    if (until == UINT64_MAX) {
        (void)pthread_cond_wait(native_cond(cond), native_mutex(mutex));
    } else {
        wait_until(cond, mutex, until);
    }
}

void wr_os_cond_destroy(OsCond *cond) { (void)pthread_cond_destroy(native_cond(cond)); }

/* ---- memory faults -------------------------------------------------------------------------- */

typedef bool (*FaultFunc)(const OsFault *fault);

#define MAX_FAULT_FUNCS                                                                            \
    4 /* engines of the process that handle faults: interpreter, compiled code */

static _Atomic(FaultFunc) fault_funcs[MAX_FAULT_FUNCS];
static const int fault_signals[] = {SIGSEGV, SIGBUS};
static struct sigaction previous_actions[ARRAY_LEN(fault_signals)];
static pthread_once_t fault_once = PTHREAD_ONCE_INIT;
static bool fault_installed; /* written under fault_once */

/* The fault is not ours and nobody else wants it. Undoing our action and returning repeats the
 * faulting instruction, so that the core dump shows the culprit and not this handler. A signal that
 * was sent (si_code <= 0) would not repeat itself. */
static void crash(int sig, const siginfo_t *info) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void)sigaction(sig, &action, NULL);
    if (info->si_code <= 0) (void)raise(sig);
}

/* Runs the handler that was installed before ours, with the signals blocked that it asked for. */
static void call_previous(const struct sigaction *action, int sig, siginfo_t *info, void *context) {
    sigset_t block = action->sa_mask, before;
    if (!(action->sa_flags & SA_NODEFER)) sigaddset(&block, sig);
    (void)pthread_sigmask(SIG_BLOCK, &block, &before);
    if (action->sa_flags & SA_SIGINFO) {
        action->sa_sigaction(sig, info, context);
    } else {
        action->sa_handler(sig);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void pass_on(int sig, siginfo_t *info, void *context) {
    const struct sigaction *action = &previous_actions[sig == fault_signals[0] ? 0 : 1];
    bool plain = !(action->sa_flags & SA_SIGINFO);
    if (plain && action->sa_handler == SIG_IGN && info->si_code <= 0) return;
    if (plain && (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)) {
        crash(sig, info);
    } else {
        call_previous(action, sig, info, context);
    }
}

/* Handlers may be left by longjmp, which restores no signal mask: it is as before the fault.
 * (SA_NODEFER alone would do, were it not for sanitizers that put handlers of their own around
 * ours.) */
static void on_signal(int sig, siginfo_t *info, void *context) {
    int saved_errno = errno;
    (void)pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL);
    if (info->si_code > 0) {
        OsFault fault = {info->si_addr, context};
        for (size_t i = 0; i < MAX_FAULT_FUNCS; i++) {
            FaultFunc func = atomic_load_explicit(&fault_funcs[i], memory_order_acquire);
            if (func && func(&fault)) return;
        }
    }
    pass_on(sig, info, context);
    errno = saved_errno;
}

static void install_handler(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    fault_installed = true;
    for (size_t i = 0; i < ARRAY_LEN(fault_signals); i++) {
        if (sigaction(fault_signals[i], &action, &previous_actions[i]) != 0)
            fault_installed = false;
    }
}

static bool add_fault_func(FaultFunc func) {
    for (size_t i = 0; i < MAX_FAULT_FUNCS; i++) {
        FaultFunc expected = NULL;
        if (atomic_compare_exchange_strong(&fault_funcs[i], &expected, func)) return true;
        if (expected == func) return true;
    }
    return false;
}

bool wr_os_fault_install(bool (*on_fault)(const OsFault *fault)) {
    if (!add_fault_func(on_fault)) return false;
    (void)pthread_once(&fault_once, install_handler);
    return fault_installed;
}

/* Alternate stacks: mapped with a guard page below, one per thread that runs guests, freed when the
 * thread ends. A stack that the thread already has (of the embedder or a sanitizer) is left in
 * place. */
#define ALTERNATE_STACK_SIZE (64u << 10)

static pthread_once_t stack_once = PTHREAD_ONCE_INIT;
static pthread_key_t stack_key;
static bool stack_key_made;
static _Thread_local bool thread_ready;

static size_t alternate_stack_size(void) {
    size_t size = ALTERNATE_STACK_SIZE;
#if defined(_SC_MINSIGSTKSZ)
    long least = sysconf(_SC_MINSIGSTKSZ); /* grows with the processor's vector registers */
    if (least > 0 && (size_t)least * 4 > size) size = (size_t)least * 4;
#endif
    return round_to_pages(size);
}

static void free_alternate_stack(void *mapping) {
    size_t page = wr_os_page_size();
    stack_t current;
    if (sigaltstack(NULL, &current) == 0 && current.ss_sp == (void *)((u8 *)mapping + page)) {
        stack_t off = {.ss_flags = SS_DISABLE, .ss_size = current.ss_size};
        (void)sigaltstack(&off, NULL);
    }
    wr_os_release(mapping, page + alternate_stack_size());
}

static void make_stack_key(void) {
    stack_key_made = pthread_key_create(&stack_key, free_alternate_stack) == 0;
}

static bool use_alternate_stack(u8 *mapping, size_t size) {
    u8 *stack = mapping + wr_os_page_size();
    if (!wr_os_commit(stack, size)) return false;
    if (pthread_setspecific(stack_key, mapping) != 0) return false;
    stack_t wanted = {.ss_sp = stack, .ss_size = size};
    if (sigaltstack(&wanted, NULL) == 0) return true;
    (void)pthread_setspecific(stack_key, NULL);
    return false;
}

static bool make_alternate_stack(void) {
    (void)pthread_once(&stack_once, make_stack_key);
    if (!stack_key_made) return false;
    size_t size = alternate_stack_size();
    u8 *mapping = wr_os_reserve(wr_os_page_size() + size);
    if (!mapping) return false;
    if (use_alternate_stack(mapping, size)) return true;
    wr_os_release(mapping, wr_os_page_size() + size);
    return false;
}

bool wr_os_fault_thread(void) {
    if (LIKELY(thread_ready)) return true;
    stack_t current;
    if (sigaltstack(NULL, &current) != 0) return false;
    thread_ready = !(current.ss_flags & SS_DISABLE) || make_alternate_stack();
    return thread_ready;
}

/* ---- registers ------------------------------------------------------------------------------
 *
 * Where clang (19 and later) passes the integer arguments of preserve_none functions. An argument
 * is still in its register at the fault only as long as the function has not overwritten it. */

#if defined(__has_attribute)
#if __has_attribute(preserve_none) && defined(__clang__)
#define HAVE_PRESERVE_NONE 1
#endif
#endif

#if defined(HAVE_PRESERVE_NONE) && defined(__linux__) && defined(__x86_64__)

static const u8 argument_registers[] = {REG_R12, REG_R13, REG_R14, REG_R15, REG_RDI, REG_RSI,
                                        REG_RDX, REG_RCX, REG_R8,  REG_R9,  REG_R11, REG_RAX};

bool wr_os_fault_has_arguments(void) { return true; }

u64 wr_os_fault_argument(const OsFault *fault, unsigned index) {
    const ucontext_t *context = fault->registers;
    ASSERT(index < ARRAY_LEN(argument_registers));
    return (u64)context->uc_mcontext.gregs[argument_registers[index]];
}

#elif defined(HAVE_PRESERVE_NONE) && defined(__linux__) && defined(__aarch64__)

static const u8 argument_registers[] = {20, 21, 22, 23, 24, 25, 26, 27, 28, 0,  1, 2,
                                        3,  4,  5,  6,  7,  10, 11, 12, 13, 14, 9, 15};

bool wr_os_fault_has_arguments(void) { return true; }

u64 wr_os_fault_argument(const OsFault *fault, unsigned index) {
    const ucontext_t *context = fault->registers;
    ASSERT(index < ARRAY_LEN(argument_registers));
    return context->uc_mcontext.regs[argument_registers[index]];
}

#else

bool wr_os_fault_has_arguments(void) { return false; }

u64 wr_os_fault_argument(const OsFault *fault, unsigned index) {
    (void)fault;
    (void)index;
    ASSERT(false && "registers of the interrupted function are not known here");
    return 0;
}

#endif

#if defined(__linux__) && defined(__x86_64__)

bool wr_os_fault_registers(const OsFault *fault, OsRegisters *registers) {
    static const u8 general[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                 REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    const greg_t *from = ((const ucontext_t *)fault->registers)->uc_mcontext.gregs;
    *registers = (OsRegisters){.pc = (u64)from[REG_RIP], .sp = (u64)from[REG_RSP]};
    for (size_t i = 0; i < ARRAY_LEN(general); i++) registers->general[i] = (u64)from[general[i]];
    return true;
}

void wr_os_fault_go_on(const OsFault *fault, void (*function)(void), u64 first, u64 second) {
    greg_t *to = ((ucontext_t *)fault->registers)->uc_mcontext.gregs;
    to[REG_RIP] = (greg_t)(uintptr_t)function;
    to[REG_RDI] = (greg_t)first;
    to[REG_RSI] = (greg_t)second;
}

#elif defined(__linux__) && defined(__aarch64__)

bool wr_os_fault_registers(const OsFault *fault, OsRegisters *registers) {
    const mcontext_t *from = &((const ucontext_t *)fault->registers)->uc_mcontext;
    *registers = (OsRegisters){.pc = from->pc, .sp = from->sp};
    for (size_t i = 0; i < ARRAY_LEN(from->regs); i++) registers->general[i] = from->regs[i];
    return true;
}

void wr_os_fault_go_on(const OsFault *fault, void (*function)(void), u64 first, u64 second) {
    mcontext_t *to = &((ucontext_t *)fault->registers)->uc_mcontext;
    to->pc = (u64)(uintptr_t)function;
    to->regs[0] = first;
    to->regs[1] = second;
}

#else

bool wr_os_fault_registers(const OsFault *fault, OsRegisters *registers) {
    (void)fault;
    *registers = (OsRegisters){0};
    return false;
}

void wr_os_fault_go_on(const OsFault *fault, void (*function)(void), u64 first, u64 second) {
    (void)fault, (void)function, (void)first, (void)second;
}

#endif
