/* sim [--schedules N] [--seed S] [--jobs N] [--regressions FILE] [--one SEED]
 * [--deep-restores] [--hot-restores SERVICE]: runs schedules, or shows one.
 *
 * Schedule i of seed S has a seed of its own, drawn from both; it is printed when the schedule
 * fails, and kept in the file of regressions, which run first. Processes each run blocks of
 * schedules: a schedule leaves its dead behind.
 *
 * A restore goes back to some commit after the last epoch began, with its service stopped. Deep
 * restores go back further, hot ones happen under the running service. */
#include "base/log.h"
#include "base/seal.h"
#include "check.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 250
#define JOBS_MAX 16
#define LAST_COPIES 300 /* more than all others have together */
#define PATIENCE_US (240 * US_PER_S)
/* What only looks finished changes again within this time: a subscription that will be refused. */
#define REST_US (2 * US_PER_S)

/* What a worker says to who waits for it; shared memory. */
struct report {
    uint64_t seed;
    uint64_t crashes;
    uint64_t events;
    uint64_t failovers;
    uint64_t restores;
    uint64_t halts;
    uint64_t innocent;
    uint64_t answers;
    char violation[400];
};
static struct report *report;

static struct node nodes[NODES_MAX];
enum { INGEST, FEEDBACK, REPORTING, RIVAL_INGEST, RIVAL_FEEDBACK };
static bool may_restore_deeply;
static const char *restored_under_way; /* this service runs while its database is restored */

void violated(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(report->violation, sizeof report->violation, format, list);
    va_end(list);
    trace("VIOLATED: %s", report->violation);
    (void)fflush(stdout);
    _exit(3);
}

/* --- one schedule ----------------------------------------------------------------------------- */

static uint32_t draw_rate(uint32_t most)
{
    return chance_below(2) ? 0 : (uint32_t)chance_below(most);
}

static void draw_world(void)
{
    world.faults_end_us = chance_us(2, 40) * US_PER_S;
    world.ring_bytes = chance_below(3) ? (size_t)chance_us(1, 2000) : 1000000;
    world.rates = (struct rates){
        .frame_drop = draw_rate(100000),
        .frame_repeat = draw_rate(100000),
        .frame_delay = draw_rate(100000),
        .net_cut = draw_rate(300000),
        .db_cut = draw_rate(100000),
        .db_warning = draw_rate(100000),
        .db_serialization = draw_rate(50000),
        .crash = draw_rate(5000),
    };
}

static void draw_ledger(void)
{
    static const char *const kinds[] = {"no", "bad", "dup", "cbad", "cdup", "crefuse", "ccrash"};
    uint64_t plants = chance_below(6);
    memset(&ledger, 0, sizeof ledger);
    ledger.count = 3 + chance_below(COMMANDS_MAX - 4); /* and ask_once_more */
    ledger.is_reporter_emitting = chance_below(2);
    for (size_t n = 0; n < ledger.count; n++) {
        struct asked_command *command = &ledger.commands[n];
        const char *kind =
            plants && chance_below(8) == 0 ? kinds[chance_below(countof(kinds))] : "m";
        (void)snprintf(command->text, sizeof command->text, "%s%zu", kind, n);
        command->copies = chance_below(4) ? 1 : (uint32_t)chance_us(0, 4);
        plants -= kind[0] != 'm';
    }
}

static void set_node(int which, const char *name, const char *service, struct pg *pg,
                     void (*start)(struct node *node))
{
    uint32_t life = nodes[which].life; /* events of the last schedule's are gone, though */
    nodes[which] =
        (struct node){.name = name, .service = service, .pg = pg, .start = start, .life = life + 1};
}

static void begin(uint64_t seed, bool is_tracing)
{
    world_begin(seed, is_tracing);
    draw_world();
    draw_ledger();
    pg_begin(&ingest_pg, "ingest_pg");
    pg_begin(&feedback_pg, "feedback_pg");
    ingest_pg.on_commit = check_ingest_commit;
    feedback_pg.on_commit = check_feedback_commit;
    set_node(INGEST, "ingest", "ingest", &ingest_pg, toy_service_start);
    set_node(FEEDBACK, "feedback", "feedback", &feedback_pg, toy_service_start);
    set_node(REPORTING, "reporting", "reporting", NULL, toy_reporter_start);
    set_node(RIVAL_INGEST, "ingest-2", "ingest", &ingest_pg, toy_service_start);
    set_node(RIVAL_FEEDBACK, "feedback-2", "feedback", &feedback_pg, toy_service_start);
    for (int i = INGEST; i <= REPORTING; i++)
        node_start_after(&nodes[i], chance_us(0, US_PER_S));
}

/* How far back a restore goes: never before the last epoch, unless asked for. */
static size_t draw_restore(const struct pg *pg)
{
    size_t least = 0;
    for (size_t i = 0; i < pg->log_count && !may_restore_deeply; i++)
        if (pg->log[i].row->table == TABLE_EPOCH)
            least = i + 1;
    return least + chance_below(pg->log_count - least + 1);
}

static void restore(struct pg *pg)
{
    if (pg->restores)
        return;
    size_t keep = draw_restore(pg);
    for (size_t i = 0; i < NODES_MAX; i++) {
        if (nodes[i].pg != pg || !nodes[i].is_up ||
            (restored_under_way && strcmp(nodes[i].service, restored_under_way) == 0))
            continue;
        node_kill(&nodes[i], "its database is restored");
        if (i < RIVAL_INGEST)
            node_start_after(&nodes[i], chance_us(US_PER_MS, 5 * US_PER_S));
    }
    pg_restore(pg, keep);
    if (pg == &ingest_pg)
        check_forgive();
}

static void hurt(uint64_t kinds)
{
    struct pg *pg = chance_below(2) ? &ingest_pg : &feedback_pg;
    struct node *node = &nodes[chance_below(NODES_MAX)];
    switch (chance_below(8)) {
    case 0:
        if (kinds & 1)
            net_fault();
        break;
    case 1:
        if (kinds & 2)
            pg_fault(pg);
        break;
    case 2:
        if (kinds & 4)
            pg_restart(pg, chance_us(US_PER_MS, 5 * US_PER_S));
        break;
    case 3:
        if (kinds & 8)
            pg_failover(pg);
        break;
    case 4:
        if ((kinds & 16) && node->is_up) {
            node_kill(node, "killed");
            node_start_after(node, chance_us(US_PER_MS, 5 * US_PER_S));
        }
        break;
    case 5:
        if (kinds & 32)
            node_start_after(&nodes[RIVAL_INGEST + (int)chance_below(2)], 0);
        break;
    case 6:
        if ((kinds & 192) == 192 && chance_below(3) == 0)
            restore(pg);
        break;
    default:
        if (kinds & 256)
            world.wall_offset_us = chance_us(-3600 * US_PER_S, 3600 * US_PER_S);
        break;
    }
}

static void on_nemesis(void *arg, uint64_t kinds)
{
    if (world.now_us < world.faults_end_us) {
        hurt(kinds);
        event_after(chance_us(US_PER_MS, 2 * US_PER_S), NULL, on_nemesis, arg, kinds);
        return;
    }
    trace("no more faults");
    for (int i = RIVAL_INGEST; i <= RIVAL_FEEDBACK; i++) {
        nodes[i].is_dead = true;
        node_kill(&nodes[i], "it was one too many");
    }
}

/* A REFUSE that was lost is missed when the restored stream grows past the consumer's position. */
static bool ask_once_more(void)
{
    static const char text[] = "mlast";
    struct asked_command *last = &ledger.commands[ledger.count];
    if (!ingest_pg.restores || strcmp(ledger.commands[ledger.count - 1].text, text) == 0)
        return false;
    *last = (struct asked_command){.copies = LAST_COPIES};
    memcpy(last->text, text, sizeof text);
    ledger.count++;
    return true;
}

static void run_schedule(uint64_t seed, bool is_tracing)
{
    report->seed = seed;
    begin(seed, is_tracing);
    event_after(0, NULL, on_nemesis, NULL, chance_below(512));
    int64_t deadline_us = world.faults_end_us + PATIENCE_US;
    int64_t rest_us = 0; /* since when */
    while (rest_us == 0 || world.now_us - rest_us < REST_US) {
        if (!event_run_next() || world.now_us > deadline_us)
            violated("no rest: %zu of %zu commands answered, the consumer is %s, its cursor rows "
                     "are %zu, the head is %zu",
                     ledger.answered, ledger.count, toy_consumer_state(&nodes[FEEDBACK]),
                     feedback_pg.tables[TABLE_CURSOR].count, ingest_pg.tables[TABLE_STREAM].count);
        bool is_at_rest = world.now_us > world.faults_end_us && nodes[RIVAL_INGEST].is_dead &&
                          check_is_at_rest(&nodes[FEEDBACK]);
        rest_us = !is_at_rest ? 0 : rest_us ? rest_us : world.now_us;
        if (is_at_rest && ask_once_more())
            rest_us = 0;
    }
    check_end(&nodes[FEEDBACK]);
    report->crashes += world.crashes;
    report->events += world.events;
    report->failovers += ingest_pg.failovers + feedback_pg.failovers;
    report->restores += (uint64_t)(ingest_pg.restores + feedback_pg.restores);
    report->halts += strcmp(toy_consumer_state(&nodes[FEEDBACK]), "halted") == 0;
    report->innocent += check_innocent();
    report->answers += ledger.answered;
    world_end();
}

/* --- many ------------------------------------------------------------------------------------- */

static uint64_t seed_of(uint64_t seed, uint64_t number)
{
    world.random = seed * UINT64_C(0x100000001b3) + number;
    return chance_next();
}

/* A process of its own, which reports there. */
static pid_t start_child(struct report *to, uint64_t seed, uint64_t from, uint64_t until)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return child;
    report = to;
    for (uint64_t i = from; i < until; i++)
        run_schedule(seed_of(seed, i), false);
    (void)fflush(stdout);
    _exit(0);
}

static void explain(struct report *of, int status)
{
    if (status != 0 && !of->violation[0])
        (void)snprintf(of->violation, sizeof of->violation, "ended by signal %d", WTERMSIG(status));
}

/* One schedule: 0, or how its process ended. */
static int run_one(uint64_t seed, bool is_tracing)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_schedule(seed, is_tracing);
        (void)fflush(stdout);
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    explain(report, status);
    return status;
}

static int failed(uint64_t seed, const char *regressions, bool is_known)
{
    printf("FAILED seed %" PRIu64 ": %s\n  make sim ONE=%" PRIu64 " shows how\n", seed,
           report->violation, seed);
    FILE *file = is_known || !regressions ? NULL : fopen(regressions, "a");
    if (file) {
        (void)fprintf(file, "%" PRIu64 " # %s\n", seed, report->violation);
        (void)fclose(file);
    }
    return EXIT_FAILURE;
}

static int run_regressions(const char *path)
{
    char line[600];
    FILE *file = path ? fopen(path, "r") : NULL;
    int result = 0;
    size_t count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] < '0' || line[0] > '9')
            continue;
        uint64_t seed = strtoull(line, NULL, 10);
        count++;
        if (run_one(seed, false) != 0) {
            result = failed(seed, path, true);
            report->violation[0] = 0;
        }
    }
    if (file)
        (void)fclose(file);
    printf("%zu regressions\n", count);
    return result;
}

static void add_up(const struct report *of, struct report *sum)
{
    sum->crashes += of->crashes;
    sum->events += of->events;
    sum->failovers += of->failovers;
    sum->restores += of->restores;
    sum->halts += of->halts;
    sum->innocent += of->innocent;
    sum->answers += of->answers;
}

static void sum_up(uint64_t seed, uint64_t schedules, double seconds)
{
    struct report sum = {0};
    for (size_t i = 0; i < JOBS_MAX; i++)
        add_up(&report[i], &sum);
    printf("%" PRIu64 " schedules of seed %" PRIu64 " passed: %" PRIu64 " commands, %" PRIu64
           " crashes, %" PRIu64 " failovers, %" PRIu64 " restores, %" PRIu64
           " halted as diverged, %" PRIu64 " put aside by chance, %" PRIu64
           " events, %.0f schedules/s\n",
           schedules, seed, sum.answers, sum.crashes, sum.failovers, sum.restores, sum.halts,
           sum.innocent, sum.events, (double)schedules / seconds);
}

/* The job whose process ended, and how; -1: none runs. */
static int wait_for_one(pid_t children[JOBS_MAX], int *ret_status)
{
    pid_t ended = wait(ret_status);
    for (int i = 0; i < JOBS_MAX; i++)
        if (ended > 0 && children[i] == ended) {
            children[i] = 0;
            explain(&report[i], *ret_status);
            return i;
        }
    return -1;
}

static int run_all(uint64_t seed, uint64_t schedules, int jobs, const char *regressions)
{
    pid_t children[JOBS_MAX] = {0};
    uint64_t next = 0;
    int failure = -1;
    clock_set_for_test(-1, 0);
    int64_t began_us = clock_mono_us();
    for (int job = 0, status = 0; job >= 0;) {
        for (job = 0; job < jobs && next < schedules && failure < 0; job++) {
            if (children[job])
                continue;
            uint64_t until = next + BLOCK < schedules ? next + BLOCK : schedules;
            children[job] = start_child(&report[job], seed, next, until);
            next = until;
        }
        job = wait_for_one(children, &status);
        if (job >= 0 && status != 0)
            failure = job;
    }
    if (failure >= 0) {
        report = &report[failure];
        return failed(report->seed, regressions, false);
    }
    sum_up(seed, schedules, (double)(clock_mono_us() - began_us) / 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"schedules", required_argument, NULL, 'n'},    {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},         {"one", required_argument, NULL, 'o'},
        {"regressions", required_argument, NULL, 'r'},  {"deep-restores", no_argument, NULL, 'd'},
        {"hot-restores", required_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    uint64_t schedules = 1000;
    uint64_t seed = 1;
    int jobs = 1;
    const char *one = NULL;
    const char *regressions = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'n')
            schedules = strtoull(optarg, NULL, 10);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            jobs = atoi(optarg) > JOBS_MAX ? JOBS_MAX : atoi(optarg);
        else if (option == 'o')
            one = optarg;
        else if (option == 'r')
            regressions = optarg;
        else if (option == 'd')
            may_restore_deeply = true;
        else if (option == 'h')
            restored_under_way = optarg;
        else
            return 64;
    }
    report = mmap(NULL, JOBS_MAX * sizeof *report, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED || seal_init() < 0)
        return EXIT_FAILURE;
    log_set_level(LOG_ERROR);
    if (one) {
        uint64_t number = strtoull(one, NULL, 10);
        int status = run_one(number, true);
        return status ? failed(number, NULL, true) : 0;
    }
    int result = run_regressions(regressions);
    return result ? result : run_all(seed, schedules, jobs, regressions);
}
