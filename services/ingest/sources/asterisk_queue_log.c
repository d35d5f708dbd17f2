/* asterisk_queue_log - see the header.
 *
 * A file is known by device, inode and the hash of its first line: an inode that the file system
 * gives out again is a different file then. Without a first line it has no identity yet, and
 * nothing to read either.
 *
 * One piece is in flight at a time; the next is read when it is durable. So the position in memory
 * is never ahead of the table by more than that piece. */
#include "ingest/sources/asterisk_queue_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/counters.h"
#include "ingest/rules/asterisk_queue_log.h"
#include "ingest/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 200
#define FAILED_MS 5000
#define PIECE_BYTES (256 * 1024)
#define PRIME_BYTES (64 * 1024)
#define CURSORS_MAX 100
#define PATH_SIZE 1024

struct cursor {
    uint64_t device, inode;
    uint8_t fingerprint[SEAL_HASH_SIZE];
    uint64_t read_to;
    bool is_finished; /* rotated away and read to its end, whatever half a line is left */
};

struct queue_log_source {
    struct ingest *ingest; /* borrowed, as is the source */
    struct source *source;
    struct timer *timer;
    struct asterisk_queue_log reader;
    int fd;           /* -1: none is open */
    struct cursor at; /* of the open file; read_to: what is durable */
    uint64_t next_to; /* read_to after the piece in flight */
    uint64_t generation;
    bool has_identity; /* the open file has a first line */
    bool is_skipping;  /* inside a line that is too long for any line */
    bool skips_after;  /* is_skipping after the piece in flight */
    bool is_busy;      /* a piece is in flight, or the cursors are being read */
    bool is_stopped;   /* freed when that is over */
    bool has_cursors;
    struct timespec touched_at; /* the file's time of change at the last look */
    bool saw_successor;         /* at the last look; the open file may have grown before that */
    bool is_confused;           /* the reader knows lines that were not committed */
    struct cursor cursors[CURSORS_MAX];
    size_t cursor_count;
    char piece[PIECE_BYTES];
};

static void queue_log_free(struct queue_log_source *log)
{
    if (log->fd >= 0)
        close(log->fd);
    timer_free(&log->timer);
    free(log);
}

/* --- the file ----------------------------------------------------------------------------------
 */

static struct cursor *cursor_of(struct queue_log_source *log, const struct cursor *file)
{
    for (size_t i = 0; i < log->cursor_count; i++) {
        struct cursor *cursor = &log->cursors[i];

        if (cursor->device == file->device && cursor->inode == file->inode &&
            memcmp(cursor->fingerprint, file->fingerprint, sizeof(file->fingerprint)) == 0)
            return cursor;
    }
    return NULL;
}

static void remember(struct queue_log_source *log)
{
    struct cursor *cursor = cursor_of(log, &log->at);

    if (!cursor) {
        if (log->cursor_count == CURSORS_MAX)
            memmove(log->cursors, log->cursors + 1, --log->cursor_count * sizeof(*log->cursors));
        cursor = &log->cursors[log->cursor_count++];
    }
    *cursor = log->at;
}

static void close_file(struct queue_log_source *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
    log->has_identity = false;
    log->is_skipping = false;
}

static bool is_same_file(const struct stat *stat, const struct cursor *cursor)
{
    return stat->st_dev == cursor->device && stat->st_ino == cursor->inode;
}

/* A file of the same name before or after its rotation, and not packed. */
static bool is_sibling(const char *name, const char *base)
{
    static const char *const packed[] = {".gz", ".xz", ".bz2", ".zst"};
    size_t len = strlen(name);

    if (strncmp(name, base, strlen(base)) != 0)
        return false;
    for (size_t i = 0; i < countof(packed); i++) {
        size_t end = strlen(packed[i]);

        if (len > end && strcmp(name + len - end, packed[i]) == 0)
            return false;
    }
    return true;
}

struct sibling {
    char path[PATH_SIZE];
    struct stat stat;
};

static bool is_before(const struct stat *a, const struct stat *b)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
        return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

static bool has_more(const struct queue_log_source *log, const struct stat *stat)
{
    for (size_t i = 0; i < log->cursor_count; i++)
        if (is_same_file(stat, &log->cursors[i]))
            return !log->cursors[i].is_finished &&
                   (uint64_t)stat->st_size > log->cursors[i].read_to;
    return stat->st_size > 0;
}

/* Calls for each file of the folder that could be a rotated one. */
static void each_sibling(const char *path, const struct queue_log_source *log,
                         void (*visit)(const struct queue_log_source *log,
                                       const struct sibling *sibling, void *arg),
                         void *arg)
{
    const char *slash = strrchr(path, '/');
    struct sibling sibling;
    struct dirent *entry;
    char folder[512];
    DIR *open_folder;

    if (!slash || slash == path ||
        !text_copy_slice(folder, sizeof(folder),
                         (struct slice){.at = path, .len = (size_t)(slash - path)}))
        return;
    open_folder = opendir(folder);
    while (open_folder && (entry = readdir(open_folder))) {
        if (!is_sibling(entry->d_name, slash + 1))
            continue;
        snprintf(sibling.path, sizeof(sibling.path), "%s/%s", folder, entry->d_name);
        if (stat(sibling.path, &sibling.stat) == 0 && S_ISREG(sibling.stat.st_mode))
            visit(log, &sibling, arg);
    }
    if (open_folder)
        closedir(open_folder);
}

static void find_last_read(const struct queue_log_source *log, const struct sibling *sibling,
                           void *arg)
{
    struct sibling *last = arg;

    if (is_same_file(&sibling->stat, &log->cursors[log->cursor_count - 1]))
        *last = *sibling;
}

struct search {
    struct sibling last; /* the file read last */
    struct sibling best; /* the oldest since then that has more */
};

static void find_oldest_unread(const struct queue_log_source *log, const struct sibling *sibling,
                               void *arg)
{
    struct search *search = arg;

    if (is_before(&sibling->stat, &search->last.stat) || !has_more(log, &sibling->stat))
        return;
    if (search->best.path[0] == '\0' || is_before(&sibling->stat, &search->best.stat))
        search->best = *sibling;
}

/* The path itself, unless files were rotated away before we had read them. */
static void choose_path(const struct queue_log_source *log, char *to, size_t size)
{
    const char *path = source_option(log->source, "path");
    struct search *search;

    text_copy(to, size, path);
    if (log->cursor_count == 0)
        return;
    search = calloc(1, sizeof(*search));
    if (!search)
        return;
    each_sibling(path, log, find_last_read, &search->last);
    if (search->last.path[0] != '\0')
        each_sibling(path, log, find_oldest_unread, search);
    if (search->best.path[0] != '\0')
        text_copy(to, size, search->best.path);
    free(search);
}

static bool open_file(struct queue_log_source *log)
{
    char path[PATH_SIZE];
    struct stat stat;

    choose_path(log, path, sizeof(path));
    log->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (log->fd >= 0 && (fstat(log->fd, &stat) < 0 || !S_ISREG(stat.st_mode))) {
        close_file(log);
        errno = EINVAL;
    }
    if (log->fd < 0) {
        source_say(log->source, errno == ENOENT ? "waiting" : "failed", "%.150s: %s", path,
                   strerror(errno));
        return false;
    }
    log->at = (struct cursor){.device = stat.st_dev, .inode = stat.st_ino};
    log->generation++;
    log->saw_successor = false;
    return true;
}

/* The lines before the cursor tell how often a line stood there already. */
static void prime(struct queue_log_source *log)
{
    uint64_t from = log->at.read_to > PRIME_BYTES ? log->at.read_to - PRIME_BYTES : 0;
    ssize_t len = pread(log->fd, log->piece, log->at.read_to - from, (off_t)from);
    struct slice rest = {.at = log->piece, .len = len > 0 ? (size_t)len : 0}, line;
    bool is_cut = from > 0; /* the first line began before */

    while (asterisk_queue_log_next(&rest, &line)) {
        if (!is_cut)
            asterisk_queue_log_prime(&log->reader, line);
        is_cut = false;
    }
}

/* False while there is no complete first line. */
static bool read_fingerprint(struct queue_log_source *log, uint8_t ret_hash[SEAL_HASH_SIZE])
{
    ssize_t len = pread(log->fd, log->piece, ASTERISK_QUEUE_LOG_LINE_MAX, 0);
    const char *end = len > 0 ? memchr(log->piece, '\n', (size_t)len) : NULL;

    if (!end && len < ASTERISK_QUEUE_LOG_LINE_MAX)
        return false;
    seal_sha256(log->piece, end ? (size_t)(end - log->piece) : (size_t)len, ret_hash);
    return true;
}

static bool identify(struct queue_log_source *log, uint64_t size)
{
    const struct cursor *known;

    if (!read_fingerprint(log, log->at.fingerprint))
        return false;
    known = cursor_of(log, &log->at);
    log->at.read_to = known && known->read_to <= size ? known->read_to : 0;
    log->has_identity = true;
    if (log->at.read_to > 0 || log->is_confused)
        asterisk_queue_log_init(&log->reader, log->source->name, log->source->system,
                                log->source->site);
    log->is_confused = false;
    prime(log);
    log_info("queue_log_opened", "source=%s inode=%llu from=%llu", log->source->name,
             (unsigned long long)log->at.inode, (unsigned long long)log->at.read_to);
    return true;
}

/* Does the path name another file, that has been written to? Then nothing more comes to ours. */
static bool has_successor(const struct queue_log_source *log)
{
    struct stat now;

    if (stat(source_option(log->source, "path"), &now) < 0)
        return false;
    return !is_same_file(&now, &log->at) && now.st_size > 0;
}

/* The open file had nothing more; was that its end? What came before its successor's first line was
 * there at the look after that one was seen. */
static void leave_if_finished(struct queue_log_source *log)
{
    if (!has_successor(log))
        return;
    if (!log->saw_successor) {
        log->saw_successor = true;
        return;
    }
    log->at.is_finished = true;
    if (log->has_identity)
        remember(log);
    close_file(log);
    timer_start(log->timer, 0, LOOK_MS);
}

/* --- pieces ------------------------------------------------------------------------------------
 */

static void on_event(void *context, const struct event *event)
{
    struct event_work *work = context;

    if (event_list_add(&work->events, event) < 0)
        abort(); /* nothing is skipped silently */
}

static void write_cursor(struct event_work *work, struct txn *txn)
{
    const struct queue_log_source *log = work->arg;
    const struct file_position position = {
        .source = log->source->name,
        .device = log->at.device,
        .inode = log->at.inode,
        .fingerprint = log->at.fingerprint,
        .fingerprint_len = sizeof(log->at.fingerprint),
        .read_to = log->next_to,
    };

    store_write_cursor(txn, &position, txn_now_us(txn));
}

static void on_piece_done(struct event_work *work, int status, const struct db_error *error)
{
    struct queue_log_source *log = work->arg;

    log->is_busy = false;
    if (log->is_stopped) {
        queue_log_free(log);
        return;
    }
    if (status < 0) {
        log_error("events_refused", "source=%s events=%zu error=\"%.100s\"", log->source->name,
                  work->events.count, error ? error->message : strerror(-status));
        source_count(log->source, 0, 0, work->events.count);
        source_say(log->source, "failed", "%s", error ? error->message : strerror(-status));
        timer_start(log->timer, FAILED_MS, LOOK_MS); /* the same piece again, not too often */
        log->is_confused = true;
        close_file(log);
        return;
    }
    source_count(log->source, work->accepted, work->duplicate, 0);
    log->at.read_to = log->next_to;
    log->is_skipping = log->skips_after;
    remember(log);
    timer_start(log->timer, 0, LOOK_MS);
}

static void take_line(struct queue_log_source *log, struct event_work *work, struct slice line,
                      uint64_t offset)
{
    int r = asterisk_queue_log_line(&log->reader, line, (log->generation << 40) + offset,
                                    clock_wall_us(), on_event, work);

    if (r < 0)
        metric_add(&counter_queue_log_ignored, log->source->name, 1);
}

/* Returns how many bytes of the piece were understood; what is left is a line's beginning. */
static size_t take_lines(struct queue_log_source *log, struct event_work *work, size_t len)
{
    struct slice rest = {.at = log->piece, .len = len}, line;

    log->skips_after = log->is_skipping;
    while (asterisk_queue_log_next(&rest, &line)) {
        if (!log->skips_after)
            take_line(log, work, line, log->at.read_to + (size_t)(line.at - log->piece));
        log->skips_after = false;
    }
    if (rest.len > ASTERISK_QUEUE_LOG_LINE_MAX) {
        if (!log->skips_after)
            metric_add(&counter_queue_log_ignored, log->source->name, 1);
        log->skips_after = true;
        rest.len = 0;
    }
    return len - rest.len;
}

/* True if there was something to read. */
static bool read_piece(struct queue_log_source *log)
{
    ssize_t len = pread(log->fd, log->piece, sizeof(log->piece), (off_t)log->at.read_to);
    struct event_work *work;
    size_t used;

    if (len <= 0)
        return false;
    work = event_work_new(log->ingest->moments, on_piece_done, log);
    if (!work)
        return false;
    work->write_more = write_cursor;
    used = take_lines(log, work, (size_t)len);
    log->next_to = log->at.read_to + used;
    if (used == 0) {
        event_work_free(work);
        return false;
    }
    log->is_busy = true;
    if (event_work_submit(log->ingest->stream, work) < 0) {
        /* No room: read it again later, with the memory of lines as it was. */
        event_work_free(work);
        log->is_busy = false;
        log->is_confused = true;
        close_file(log);
    }
    return true;
}

static void say_progress(struct queue_log_source *log, const struct stat *stat)
{
    double lag = (double)(stat->st_size - (off_t)log->at.read_to);

    metric_set(&gauge_queue_log_lag, log->source->name, lag > 0 ? lag : 0);
    source_say(log->source, "reading", "%llu of %llu bytes", (unsigned long long)log->at.read_to,
               (unsigned long long)stat->st_size);
    log->source->heard_at = clock_wall_us();
}

/* A file that was emptied, or emptied and filled again, is a new one in the same place. */
static bool was_truncated(struct queue_log_source *log, const struct stat *stat)
{
    uint8_t fingerprint[SEAL_HASH_SIZE];
    uint64_t size = (uint64_t)stat->st_size;
    bool is_touched = stat->st_mtim.tv_sec != log->touched_at.tv_sec ||
                      stat->st_mtim.tv_nsec != log->touched_at.tv_nsec;

    log->touched_at = stat->st_mtim;
    if (size < log->at.read_to)
        return true;
    return is_touched && (!read_fingerprint(log, fingerprint) ||
                          memcmp(fingerprint, log->at.fingerprint, sizeof(fingerprint)) != 0);
}

static void begin_again(struct queue_log_source *log, uint64_t size)
{
    log_warn("queue_log_truncated", "source=%s from=%llu to=%llu", log->source->name,
             (unsigned long long)log->at.read_to, (unsigned long long)size);
    log->at.read_to = 0;
    log->is_skipping = false;
    log->has_identity = false;
    log->generation++;
}

static void read_cursors(struct queue_log_source *log);

static void look(void *arg)
{
    struct queue_log_source *log = arg;
    struct stat stat;

    if (log->is_busy || !stream_is_ready(log->ingest->stream))
        return;
    if (!log->has_cursors) {
        read_cursors(log);
        return;
    }
    if (log->fd < 0 && !open_file(log))
        return;
    if (fstat(log->fd, &stat) < 0) {
        close_file(log);
        return;
    }
    if (log->has_identity && was_truncated(log, &stat))
        begin_again(log, (uint64_t)stat.st_size);
    say_progress(log, &stat);
    if ((!log->has_identity && !identify(log, (uint64_t)stat.st_size)) || !read_piece(log))
        leave_if_finished(log);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void take_cursor(struct queue_log_source *log, const struct db_rows *rows, size_t row)
{
    struct cursor *cursor = &log->cursors[log->cursor_count];
    struct slice fingerprint = db_get_bytes(rows, row, 2);

    if (log->cursor_count == CURSORS_MAX || fingerprint.len != sizeof(cursor->fingerprint))
        return;
    log->cursor_count++;
    cursor->device = (uint64_t)db_get_i64(rows, row, 0);
    cursor->inode = (uint64_t)db_get_i64(rows, row, 1);
    memcpy(cursor->fingerprint, fingerprint.at, fingerprint.len);
    cursor->read_to = (uint64_t)db_get_i64(rows, row, 3);
}

static void on_cursors(void *arg, int status, const struct db_rows *rows,
                       const struct db_error *error)
{
    struct queue_log_source *log = arg;

    (void)error;
    log->is_busy = false;
    if (log->is_stopped) {
        queue_log_free(log);
        return;
    }
    if (status < 0) {
        source_say(log->source, "failed", "its position could not be read");
        return; /* the next look tries again */
    }
    log->has_cursors = true;
    /* Newest first in the rows, newest last here. */
    for (size_t row = db_count(rows); row-- > 0;)
        take_cursor(log, rows, row);
    timer_start(log->timer, 0, LOOK_MS);
}

static void read_cursors(struct queue_log_source *log)
{
    log->is_busy = store_cursors(log->ingest->reader, log->source->name, on_cursors, log) == 0;
}

int queue_log_source_start(struct ingest *ingest, struct source *source)
{
    struct queue_log_source *log = calloc(1, sizeof(*log));
    int r;

    if (!log)
        return -ENOMEM;
    log->ingest = ingest;
    log->source = source;
    log->fd = -1;
    asterisk_queue_log_init(&log->reader, source->name, source->system, source->site);
    r = timer_new(ingest->loop, look, log, &log->timer);
    if (r < 0) {
        queue_log_free(log);
        return r;
    }
    source->runner = log;
    timer_start(log->timer, 0, LOOK_MS);
    return 0;
}

void queue_log_source_stop(struct source *source)
{
    struct queue_log_source *log = source->runner;

    timer_stop(log->timer);
    source_say(source, "stopped", "%s", "");
    if (log->is_busy)
        log->is_stopped = true;
    else
        queue_log_free(log);
}
