/* startup.c - how long processes take from start to end, how much memory they had resident, how many
 * system calls they made. What they print is thrown away. Linux only; startup.py uses it.
 *
 * usage: startup RUNS COMMAND ARG... [;; COMMAND ARG...]...
 *
 * RUNS rounds of each command, interleaved, then one more under ptrace for the other two figures.
 * Prints a line for each: median, minimum and 9th decile of wall time in us, minimum of processor time in
 * us, greatest resident set in KiB (of the process alone: ru_maxrss would have the parent's in it), system
 * calls, exit status.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct {
    char **argv;
    double *wall, processor; /* us; of every round, the least */
    long resident, calls;    /* KiB, count */
    int status;
} Command;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void time_once(Command *c, int round, posix_spawn_file_actions_t *actions) {
    pid_t pid;
    struct rusage usage;
    double start = now();
    if (posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, environ)) fail(c->argv[0]);
    if (wait4(pid, &c->status, 0, &usage) < 0) fail("wait4");
    c->wall[round] = now() - start;
    double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    if (round == 0 || used < c->processor) c->processor = used;
}

static long resident_of(pid_t pid) {
    char path[64], line[128];
    long found = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) sscanf(line, "VmHWM: %ld", &found);
    if (in) fclose(in);
    return found;
}

/* Runs the command to its end, stopping it at each system call. */
static void trace(Command *c, int null) {
    pid_t pid = fork(), thread;
    int status;
    if (pid == 0) {
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(c->argv[0], c->argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0) fail("fork");
    ptrace(PTRACE_SETOPTIONS, pid, NULL,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        int signal = 0;
        if (!WIFSTOPPED(status)) {
            if (thread == pid) return;
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            c->calls++; /* once on the way in and once on the way out */
        } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            if (thread == pid) c->resident = resident_of(pid);
        } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
            signal = WSTOPSIG(status);
        }
        ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(long)signal);
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Cuts the arguments at ";;"; returns how many commands there are. */
static int read_commands(char **argv, Command *commands, int runs) {
    int count = 0;
    while (*argv) {
        commands[count] = (Command){.argv = argv, .wall = calloc((size_t)runs, sizeof(double))};
        if (!commands[count++].wall) fail("calloc");
        while (*argv && strcmp(*argv, ";;") != 0) argv++;
        if (*argv) *argv++ = NULL;
    }
    return count;
}

int main(int argc, char **argv) {
    static Command commands[256];
    int runs = argc > 2 ? atoi(argv[1]) : 0;
    if (runs < 1)
        return fputs("usage: startup RUNS COMMAND ARG... [;; COMMAND ARG...]...\n", stderr), 2;
    int count = read_commands(argv + 2, commands, runs);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    for (int round = 0; round < runs; round++)
        for (int i = 0; i < count; i++) time_once(&commands[(i + round) % count], round, &actions);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < count; i++) {
        Command *c = &commands[i];
        trace(c, null);
        qsort(c->wall, (size_t)runs, sizeof *c->wall, compare);
        printf("%.0f %.0f %.0f %.0f %ld %ld %d\n", c->wall[runs / 2], c->wall[0],
               c->wall[runs * 9 / 10], c->processor, c->resident, c->calls / 2,
               WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status));
    }
    return 0;
}
