/* supervise - `momentctl supervise`: keeps the processes of one machine running.
 *
 * Each file <dir>/etc/processes/NN-NAME.argv is a process: one argument per line. They start in the
 * order of their file names and stop in the reverse order, one after the other. What they print
 * goes to <dir>/log/NAME.log (log_file.h); their process id stands in <dir>/run/NAME.pid.
 *
 *   a process fails        it starts again, later and later up to 30 s
 *   a process ends with 0  it was drained and stays down until SIGUSR1
 *   SIGUSR1                read the folder again: start what is new or down, stop what is gone
 *   SIGTERM, SIGINT        stop everything: SIGTERM, after 20 s SIGINT, after 10 s more SIGKILL
 *   the supervisor dies    the kernel sends its children SIGTERM
 *
 * systemd or a container engine does the same job better where there is one. */
#include "ctl/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/seal.h"
#include "base/text.h"
#include "ctl/log_file.h"
#include "ctl/secret_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 16
#define ARGUMENTS_MAX 64
#define NAME_SIZE 64
#define HEALTHY_US (30 * US_PER_S)
#define SOFT_US (20 * US_PER_S)
#define HARD_US (30 * US_PER_S)

struct process {
    char file[NAME_SIZE]; /* "50-ingest.argv": its place in the order */
    char name[NAME_SIZE]; /* "ingest" */
    pid_t pid;            /* 0: down */
    int out;              /* read end of its stdout and stderr; -1: none */
    int64_t started_us;
    int64_t start_at_us; /* when down: when to start again; INT64_MAX: not by itself */
    int64_t stop_us;     /* since when it is being stopped; 0: it is not */
    struct retry retry;
    struct log_file log;
    bool is_wanted; /* its file was there at the last look */
};

struct supervisor {
    struct process processes[PROCESSES_MAX]; /* sorted by file */
    size_t count;
    int signals; /* signalfd */
    bool is_stopping;
    struct log_file log;
};

/* --- starting
 * -----------------------------------------------------------------------------------*/

/* One argument per line; the array points into text and ends with a null. */
static int read_arguments(const char *file, char *text, size_t size, char *argv[ARGUMENTS_MAX + 1])
{
    char path[CTL_PATH_SIZE];
    if (ctl_path(path, "%s/etc/processes/%s", ctl_dir(), file) < 0)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, text, size - 1);
    (void)close(fd);
    if (len <= 0)
        return -ENODATA;
    text[len] = '\0';
    size_t count = 0;
    char *rest = text;
    for (char *line; count < ARGUMENTS_MAX && (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '\0')
            argv[count++] = line;
    }
    argv[count] = NULL;
    return count > 0 ? 0 : -ENODATA;
}

static void write_pid(const struct process *process)
{
    char path[CTL_PATH_SIZE];
    if (ctl_path(path, "%s/run/%s.pid", ctl_dir(), process->name) < 0)
        return;
    (void)unlink(path);
    if (process->pid == 0)
        return;
    char line[32];
    (void)snprintf(line, sizeof(line), "%ld\n", (long)process->pid);
    if (secret_file_create(path, 0644, line) < 0)
        log_warn("no_pid_file", "process=%s", process->name);
}

/* In the child: never returns. */
static void become(char *const argv[], int out, pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)execvp(argv[0], argv);
    (void)dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int spawn(struct process *process, char *const argv[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(argv, ends[1], parent);
    int error = pid < 0 ? -errno : 0;
    (void)close(ends[1]);
    if (error < 0) {
        (void)close(ends[0]);
        return error;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    process->out = ends[0];
    process->pid = pid;
    return 0;
}

static void start_later(struct process *process)
{
    uint32_t random;
    seal_random(&random, sizeof(random));
    uint32_t delay_ms = retry_next_ms(&process->retry, random);
    process->start_at_us = clock_mono_us() + delay_ms * US_PER_MS;
    log_warn("restart_planned", "process=%s in_ms=%u", process->name, delay_ms);
}

static void start(struct process *process)
{
    char text[4096];
    char *argv[ARGUMENTS_MAX + 1];
    int error = read_arguments(process->file, text, sizeof(text), argv);
    if (error == 0)
        error = spawn(process, argv);
    if (error < 0) {
        log_error("start_failed", "process=%s error=\"%s\"", process->name, strerror(-error));
        start_later(process);
        return;
    }
    process->started_us = clock_mono_us();
    process->stop_us = 0;
    write_pid(process);
    log_info("started", "process=%s pid=%ld", process->name, (long)process->pid);
}

/* --- what they print
 * ----------------------------------------------------------------------------*/

/* At most a bounded amount per turn, so that a chatterbox cannot keep the others waiting. */
static void take_output(struct process *process)
{
    char bytes[8192];
    for (int turn = 0; turn < 8 && process->out >= 0; turn++) {
        ssize_t len = read(process->out, bytes, sizeof(bytes));
        if (len > 0) {
            log_file_write(&process->log, bytes, (size_t)len);
            continue;
        }
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        (void)close(process->out);
        process->out = -1;
    }
}

/* --- ending
 * -------------------------------------------------------------------------------------*/

static void ended(struct supervisor *supervisor, struct process *process, int status)
{
    bool is_drained = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    take_output(process);
    /* A grandchild may hold the pipe open: what it prints from now on is lost. */
    if (process->out >= 0)
        (void)close(process->out);
    process->out = -1;
    if (WIFSIGNALED(status))
        log_warn("ended", "process=%s signal=%d", process->name, WTERMSIG(status));
    else
        log_info("ended", "process=%s exit=%d", process->name, WEXITSTATUS(status));
    if (clock_mono_us() - process->started_us > HEALTHY_US)
        retry_reset(&process->retry);
    bool was_stopped = process->stop_us != 0;
    process->pid = 0;
    process->stop_us = 0;
    process->start_at_us = INT64_MAX;
    write_pid(process);
    if (!is_drained && !was_stopped && !supervisor->is_stopping)
        start_later(process);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t i = 0; i < supervisor->count; i++) {
            if (supervisor->processes[i].pid == pid)
                ended(supervisor, &supervisor->processes[i], status);
        }
    }
}

/* A step of stopping: the first signal, or a harder one when the time has come. */
static void stop(struct process *process)
{
    int64_t now_us = clock_mono_us();
    if (process->stop_us == 0) {
        process->stop_us = now_us;
        log_info("stopping", "process=%s pid=%ld", process->name, (long)process->pid);
        (void)kill(process->pid, SIGTERM);
    } else if (now_us - process->stop_us > HARD_US) {
        log_warn("killed", "process=%s", process->name);
        (void)kill(process->pid, SIGKILL);
    } else if (now_us - process->stop_us > SOFT_US) {
        (void)kill(process->pid, SIGINT);
    }
}

/* True when the last one is down. One at a time, the last started first. */
static bool stop_next(struct supervisor *supervisor)
{
    for (size_t i = supervisor->count; i > 0; i--) {
        if (supervisor->processes[i - 1].pid != 0) {
            stop(&supervisor->processes[i - 1]);
            return false;
        }
    }
    return true;
}

/* --- the folder
 * ---------------------------------------------------------------------------------*/

static int is_process_file(const struct dirent *entry)
{
    const char *suffix = strrchr(entry->d_name, '.');
    return suffix != NULL && strcmp(suffix, ".argv") == 0 && strchr(entry->d_name, '-') != NULL &&
           strlen(entry->d_name) < NAME_SIZE;
}

static struct process *find(struct supervisor *supervisor, const char *file)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (strcmp(supervisor->processes[i].file, file) == 0)
            return &supervisor->processes[i];
    }
    return NULL;
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const struct process *)a)->file, ((const struct process *)b)->file);
}

static struct process *add(struct supervisor *supervisor, const char *file)
{
    if (supervisor->count == PROCESSES_MAX)
        return NULL;
    struct process *process = &supervisor->processes[supervisor->count++];
    *process = (struct process){.out = -1, .retry = {.base_ms = 500, .max_ms = 30000}};
    (void)text_copy(process->file, sizeof(process->file), file);
    const char *name = strchr(file, '-') + 1;
    (void)text_copy_slice(process->name, sizeof(process->name),
                          (struct slice){name, strlen(name) - strlen(".argv")});
    char path[CTL_PATH_SIZE];
    if (ctl_path(path, "%s/log/%s.log", ctl_dir(), process->name) == 0)
        log_file_open(&process->log, path);
    return process;
}

static void look(struct supervisor *supervisor)
{
    char path[CTL_PATH_SIZE];
    struct dirent **entries = NULL;
    if (ctl_path(path, "%s/etc/processes", ctl_dir()) < 0)
        return;
    int count = scandir(path, &entries, is_process_file, alphasort);
    for (size_t i = 0; i < supervisor->count; i++)
        supervisor->processes[i].is_wanted = false;
    for (int i = 0; i < count; i++) {
        struct process *process = find(supervisor, entries[i]->d_name);
        if (process == NULL)
            process = add(supervisor, entries[i]->d_name);
        if (process != NULL)
            process->is_wanted = true;
        if (process != NULL && process->pid == 0)
            process->start_at_us = 0;
        free(entries[i]);
    }
    free(entries);
    qsort(supervisor->processes, supervisor->count, sizeof(supervisor->processes[0]), by_file);
}

/* --- the loop
 * -----------------------------------------------------------------------------------*/

static void start_due(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (process->pid != 0 && !process->is_wanted)
            stop(process);
        else if (process->pid == 0 && process->is_wanted && process->start_at_us <= clock_mono_us())
            start(process);
    }
}

static void take_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            supervisor->is_stopping = true;
        else if (info.ssi_signo == SIGUSR1)
            look(supervisor);
    }
    reap(supervisor);
}

static void wait_for_something(struct supervisor *supervisor)
{
    struct pollfd fds[PROCESSES_MAX + 1] = {{.fd = supervisor->signals, .events = POLLIN}};
    for (size_t i = 0; i < supervisor->count; i++)
        fds[i + 1] = (struct pollfd){.fd = supervisor->processes[i].out, .events = POLLIN};
    size_t count = supervisor->count;
    (void)poll(fds, count + 1, 250);
    for (size_t i = 0; i < count; i++) {
        if (fds[i + 1].revents != 0)
            take_output(&supervisor->processes[i]);
    }
}

static void keep_running(struct supervisor *supervisor)
{
    look(supervisor);
    for (;;) {
        if (supervisor->is_stopping && stop_next(supervisor))
            break;
        if (!supervisor->is_stopping)
            start_due(supervisor);
        wait_for_something(supervisor);
        take_signals(supervisor);
    }
    for (size_t i = 0; i < supervisor->count; i++)
        log_file_close(&supervisor->processes[i].log);
}

static void write_log(void *arg, enum log_level level, const char *line)
{
    struct log_file *file = arg;
    (void)level;
    log_file_write(file, line, strlen(line));
    log_file_write(file, "\n", 1);
}

static int watch_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The lock, not the number in the file, says whether a supervisor runs: it cannot be stale. */
static int take_pid_file(int *ret_fd)
{
    char path[CTL_PATH_SIZE];
    if (ctl_path(path, "%s/run/supervisor.pid", ctl_dir()) < 0)
        return ctl_fail("the path of --dir is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return ctl_fail("cannot write %s: %s; run `momentctl init` first", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)close(fd);
        return ctl_fail("a supervisor of %s runs already; `make stop` stops it", ctl_dir());
    }
    int error = ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0 ? errno : 0;
    if (error != 0) {
        (void)close(fd);
        return ctl_fail("cannot write %s: %s", path, strerror(error));
    }
    *ret_fd = fd;
    return CTL_OK;
}

int supervise_run(const struct ctl_command *command, int argc, char **argv)
{
    static struct supervisor supervisor;
    int lock = -1;
    char path[CTL_PATH_SIZE];
    if (argc > 1)
        return ctl_usage(command, "supervise takes no %s", argv[1]);
    if (ctl_path(path, "%s/log/supervisor.log", ctl_dir()) < 0 || take_pid_file(&lock) != CTL_OK)
        return CTL_FAILED;
    supervisor.signals = watch_signals();
    if (supervisor.signals < 0) {
        (void)close(lock);
        return ctl_fail("cannot watch signals: %s", strerror(errno));
    }
    log_file_open(&supervisor.log, path);
    log_setup("supervisor", LOG_INFO);
    log_to(write_log, &supervisor.log);
    keep_running(&supervisor);
    log_to(NULL, NULL);
    log_file_close(&supervisor.log);
    (void)close(supervisor.signals);
    (void)close(lock);
    return CTL_OK;
}
