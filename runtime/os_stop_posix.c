/*
 * os_stop_posix.c - os.h's stops, for Linux: a signal to one thread, again until it has heard; and the bell, which a
 * signal handler may ring.
 *
 * The signal is SIGURG, for the reasons for which Go took it: nobody sees it by default, debuggers let it pass, C
 * libraries have no use for it, and who uses it (for urgent data of a socket) has to expect some that mean nothing.
 */
#define _GNU_SOURCE /* registers of ucontext_t */
#include "os.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* The thread sanitizer keeps signals back until the thread calls the C library: compiled code does not. */
#if defined(__SANITIZE_THREAD__)
#define HAS_STOPS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_STOPS 0
#endif
#endif
#if !defined(HAS_STOPS) && defined(__linux__) && defined(__LP64__)
#include <linux/futex.h>
#include <sys/syscall.h>
#define HAS_STOPS 1
#endif

#if HAS_STOPS

/* ---- threads -------------------------------------------------------------------------------- */

enum { HAS_HEARD, SENT, SENT_BEFORE };

/* A thread that can be stopped. Numbers are taken anew when their thread has ended, entries are not freed: so whoever
 * has an old number sends the signal to nobody, or to a thread to which it means nothing. */
typedef struct Thread {
    _Atomic(i32) id;      /* the system's; 0: nobody's */
    atomic_uchar waiting; /* HAS_HEARD, or the signal was sent in this round or before */
} Thread;

static Thread threads[OS_STOP_THREADS]; /* by number; [0] unused */
static _Atomic(u32) end = 1;            /* numbers below have been somebody's */
static _Thread_local u32 mine;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its value: the thread's number; what gives that back */
static bool is_ready;     /* written under `once` */

static i32 own_id(void) { return (i32)syscall(SYS_gettid); }

static void give_back(void *number) {
    Thread *thread = &threads[(uintptr_t)number];
    atomic_store(&thread->waiting, HAS_HEARD);
    atomic_store(&thread->id, 0);
}

static u32 take_number(void) {
    i32 id = own_id();
    for (u32 i = 1; i < OS_STOP_THREADS; i++) {
        i32 nobody = 0;
        if (!atomic_compare_exchange_strong(&threads[i].id, &nobody, id)) continue;
        u32 seen = atomic_load(&end);
        while (seen <= i && !atomic_compare_exchange_weak(&end, &seen, i + 1)) {
        }
        return i;
    }
    return 0;
}

/* Embedders start threads in which all signals are blocked; this one is for this thread alone. */
static void unblock(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

u32 wr_os_stop_thread(void) {
    if (LIKELY(mine != 0)) return mine;
    u32 number = is_ready && wr_os_fault_thread() ? take_number() : 0;
    if (number == 0) return 0;
    if (pthread_setspecific(key, (void *)(uintptr_t)number) != 0) {
        give_back((void *)(uintptr_t)number);
        return 0;
    }
    unblock();
    mine = number;
    return number;
}

/* In a child process, whose one thread is a copy of this. */
static void follow_fork(void) {
    if (mine != 0) atomic_store(&threads[mine].id, own_id());
}

/* ---- sending -------------------------------------------------------------------------------- */

/* What it comes with tells the signal from others. To a thread that has ended: nothing happens. */
static void send_to(i32 id) {
    pid_t process = getpid();
    siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
    info.si_pid = process;
    info.si_uid = getuid();
    info.si_value.sival_ptr = threads;
    (void)syscall(SYS_rt_tgsigqueueinfo, process, id, SIGURG, &info);
}

/* Whoever filters system calls may not know this one. There is no thread -1, so that it is EINVAL where it is known. */
bool wr_os_stops_supported(void) {
    static atomic_int known; /* 1: they are, -1: they are not */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        int before = errno;
        siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
        bool is_refused = syscall(SYS_rt_tgsigqueueinfo, -1, -1, SIGURG, &info) != 0;
        answer = is_refused && errno == EINVAL ? 1 : -1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
        errno = before;
    }
    return answer > 0;
}

static void send(const Thread *thread) {
    int before = errno;
    i32 id = atomic_load(&thread->id);
    if (id != 0) send_to(id);
    errno = before;
}

void wr_os_stop_send(u32 number) {
    atomic_store(&threads[number].waiting, SENT);
    send(&threads[number]);
}

bool wr_os_stop_send_again(void) {
    bool any = false;
    for (u32 i = 1, n = atomic_load(&end); i < n; i++) {
        u8 sent = SENT;
        if (atomic_load_explicit(&threads[i].waiting, memory_order_relaxed) == HAS_HEARD) continue;
        any = true;
        if (atomic_compare_exchange_strong(&threads[i].waiting, &sent, SENT_BEFORE)) continue;
        if (sent == SENT_BEFORE) send(&threads[i]);
    }
    return any;
}

void wr_os_stop_heard(void) {
    atomic_uchar *waiting = &threads[mine].waiting;
    if (atomic_load_explicit(waiting, memory_order_relaxed) != HAS_HEARD)
        atomic_store(waiting, HAS_HEARD);
}

/* ---- receiving ------------------------------------------------------------------------------ */

static _Atomic(OsStopFunc) stop_func;
static struct sigaction previous;

/* Always, since another signal may have come while ours was on its way: then there is only one. */
static void call_previous(int sig, siginfo_t *info, void *context) {
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(sig, info, context);
    else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
        previous.sa_handler(sig);
}

static bool is_ours(const siginfo_t *info) {
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == threads &&
           info->si_pid == getpid();
}

static void on_signal(int sig, siginfo_t *info, void *context) {
    int before = errno;
    OsFault place = {NULL, context};
    call_previous(sig, info, context);
    if (is_ours(info) && mine != 0 && atomic_load(&stop_func)(&place)) wr_os_stop_heard();
    errno = before;
}

static void install(void) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    action.sa_sigaction = on_signal;
    sigemptyset(&action.sa_mask);
    is_ready = pthread_key_create(&key, give_back) == 0 &&
               pthread_atfork(NULL, NULL, follow_fork) == 0 &&
               sigaction(SIGURG, &action, &previous) == 0;
}

bool wr_os_stop_install(OsStopFunc on_stop) {
    atomic_store(&stop_func, on_stop);
    (void)pthread_once(&once, install);
    return is_ready;
}

/* ---- the bell ------------------------------------------------------------------------------- */

static long futex(OsBell *bell, int operation, u32 value, const struct timespec *until) {
    return syscall(SYS_futex, &bell->rings, operation | FUTEX_PRIVATE_FLAG, value, until, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

void wr_os_bell_init(OsBell *bell) { atomic_init(&bell->rings, 0); }
void wr_os_bell_destroy(OsBell *bell) { (void)bell; }

u32 wr_os_bell_rings(OsBell *bell) { return atomic_load(&bell->rings); }

void wr_os_bell_ring(OsBell *bell) {
    int before = errno;
    atomic_fetch_add(&bell->rings, 1);
    (void)futex(bell, FUTEX_WAKE, INT_MAX, NULL);
    errno = before;
}

/* The kernel waits by the clock of wr_os_now(). */
void wr_os_bell_wait(OsBell *bell, u32 rings, u64 until) {
    struct timespec ts = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    (void)futex(bell, FUTEX_WAIT_BITSET, rings, until == UINT64_MAX ? NULL : &ts);
}

#else

bool wr_os_stops_supported(void) { return false; }
bool wr_os_stop_install(OsStopFunc on_stop) {
    (void)on_stop;
    return false;
}
u32 wr_os_stop_thread(void) { return 0; }
void wr_os_stop_send(u32 number) { (void)number; }
bool wr_os_stop_send_again(void) { return false; }
void wr_os_stop_heard(void) {}

void wr_os_bell_init(OsBell *bell) {
    wr_os_mutex_init(&bell->lock);
    wr_os_cond_init(&bell->wake);
    atomic_init(&bell->rings, 0);
}

void wr_os_bell_destroy(OsBell *bell) {
    wr_os_cond_destroy(&bell->wake);
    wr_os_mutex_destroy(&bell->lock);
}

u32 wr_os_bell_rings(OsBell *bell) { return atomic_load(&bell->rings); }

void wr_os_bell_ring(OsBell *bell) {
    wr_os_mutex_lock(&bell->lock);
    atomic_fetch_add(&bell->rings, 1);
    wr_os_cond_signal(&bell->wake);
    wr_os_mutex_unlock(&bell->lock);
}

void wr_os_bell_wait(OsBell *bell, u32 rings, u64 until) {
    wr_os_mutex_lock(&bell->lock);
    if (atomic_load(&bell->rings) == rings) wr_os_cond_wait(&bell->wake, &bell->lock, until);
    wr_os_mutex_unlock(&bell->lock);
}

#endif
