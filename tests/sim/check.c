#include "check.h"

#include "io/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct pg ingest_pg;
struct pg feedback_pg;

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_body(const struct row *row, const char *text)
{
    return row->len == strlen(text) && memcmp(row->body, text, row->len) == 0;
}

static size_t command_of(const struct row *record)
{
    for (size_t n = 0; n < ledger.count; n++)
        if (is_body(record, ledger.commands[n].text))
            return n;
    violated("record %" PRId64 " is of no command: %.*s", record->numbers[0], (int)record->len,
             (const char *)record->body);
}

/* --- ingest ----------------------------------------------------------------------------------- */

/* Dense, chained, epochs in order: of the record at this place of its table. */
static void check_record(const struct pg *pg, size_t at)
{
    static const uint8_t zeroes[SEAL_HASH_SIZE];
    const struct row *const *rows = pg->tables[TABLE_STREAM].rows;
    const struct row *row = rows[at];
    const struct record record = {
        .seq = (uint64_t)row->numbers[0],
        .epoch = (uint32_t)row->numbers[1],
        .at_us = row->numbers[2],
        .site = row->texts[0],
        .key = row->texts[1],
        .type = row->texts[2],
        .body = {(const char *)row->body, row->len},
    };
    uint8_t hash[SEAL_HASH_SIZE];
    if (row->numbers[0] != (int64_t)at + 1)
        violated("%s: record %zu has seq %" PRId64, pg->name, at + 1, row->numbers[0]);
    if (at > 0 && rows[at - 1]->numbers[1] > row->numbers[1])
        violated("%s: the epoch goes back at seq %zu", pg->name, at + 1);
    stream_chain(at > 0 ? rows[at - 1]->hash : zeroes, &record, hash);
    if (memcmp(hash, row->hash, sizeof hash) != 0)
        violated("%s: the chain breaks at seq %zu", pg->name, at + 1);
}

static void check_stream(const struct pg *pg, const struct change *changes, size_t count)
{
    size_t added = 0;
    for (size_t i = 0; i < count; i++)
        added += changes[i].row->table == TABLE_STREAM && !changes[i].is_delete;
    for (size_t at = pg->tables[TABLE_STREAM].count - added; at < pg->tables[TABLE_STREAM].count;
         at++)
        check_record(pg, at);
}

/* The count that a service keeps in memory is that of its table. */
static void check_counts(const struct pg *pg)
{
    const struct table_rows *toy = &pg->tables[TABLE_TOY];
    for (size_t i = 0; i < toy->count; i++)
        if (toy->rows[i]->numbers[1] != (int64_t)i + 1)
            violated("%s: row %zu of toy counts %" PRId64 ": what was kept in memory was not true",
                     pg->name, i + 1, toy->rows[i]->numbers[1]);
}

static size_t copies_of(const char *text)
{
    const struct table_rows *stream = &ingest_pg.tables[TABLE_STREAM];
    size_t copies = 0;
    for (size_t i = 0; i < stream->count; i++)
        copies += is_body(stream->rows[i], text);
    return copies;
}

void check_ingest_commit(struct pg *pg, const struct change *changes, size_t count)
{
    check_stream(pg, changes, count);
    check_counts(pg);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = changes[i].row;
        if (row->table != TABLE_STREAM)
            continue;
        const struct asked_command *command = &ledger.commands[command_of(row)];
        if (copies_of(command->text) != command->copies)
            violated("command %s has %zu records instead of %u", command->text,
                     copies_of(command->text), command->copies);
    }
}

void check_forgive(void)
{
    for (size_t n = 0; n < ledger.count; n++) {
        struct asked_command *command = &ledger.commands[n];
        bool is_lost =
            command->is_answered && !command->is_refused && copies_of(command->text) == 0;
        /* The answer of what is lost may be on its way. */
        command->is_forgiven = is_lost || (command->is_asked && !command->is_answered);
    }
}

/* --- feedback --------------------------------------------------------------------------------- */

static bool is_planted(const struct row *quarantined)
{
    return quarantined->len > 0 && quarantined->body[0] == 'c';
}

static size_t rows_of(const struct change *changes, size_t count, enum table table, int64_t seq)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += changes[i].row->table == table && !changes[i].is_delete &&
                 changes[i].row->numbers[0] == seq;
    return found;
}

/* What a cursor passes is applied or put aside with it, once. */
static void check_advance(const struct change *changes, size_t count, const struct row *cursor)
{
    for (int64_t seq = cursor->numbers[0] + 1; seq <= cursor->numbers[1]; seq++) {
        size_t applied = rows_of(changes, count, TABLE_TOY, seq);
        size_t put_aside = rows_of(changes, count, TABLE_QUARANTINE, seq);
        if (applied + put_aside != 1)
            violated("the cursor passes seq %" PRId64 ", which was applied %zu times and put aside "
                     "%zu times",
                     seq, applied, put_aside);
    }
}

static void check_aside(const struct row *row)
{
    if (!is_planted(row) && !begins(row->texts[4], "crashed"))
        violated("seq %" PRId64 " is in quarantine, though nothing is wrong with it: %s %s",
                 row->numbers[0], row->texts[3], row->texts[4]);
}

static void check_content(int64_t seq, const char *body, size_t len, size_t skipped)
{
    const struct table_rows *stream = &ingest_pg.tables[TABLE_STREAM];
    if (seq < 1 || (size_t)seq > stream->count)
        violated("seq %" PRId64 " was applied and does not exist", seq);
    const struct row *record = stream->rows[seq - 1];
    if (record->len != len + skipped || memcmp(record->body + skipped, body, len) != 0)
        violated("seq %" PRId64 " is \"%.*s\" and was applied as \"%.*s\"", seq, (int)record->len,
                 (const char *)record->body, (int)len, body);
}

static void check_row(const struct row *row)
{
    if (row->table == TABLE_QUARANTINE)
        check_aside(row);
    if (ingest_pg.restores)
        return; /* only the end tells */
    if (row->table == TABLE_TOY)
        check_content(row->numbers[0], row->texts[0], strlen(row->texts[0]), 1);
    if (row->table == TABLE_QUARANTINE)
        check_content(row->numbers[0], (const char *)row->body, row->len, 0);
}

void check_feedback_commit(struct pg *pg, const struct change *changes, size_t count)
{
    check_stream(pg, changes, count);
    check_counts(pg);
    const struct table_rows *toy = &pg->tables[TABLE_TOY];
    for (size_t i = 1; i < toy->count; i++)
        if (toy->rows[i]->numbers[0] <= toy->rows[i - 1]->numbers[0])
            violated("seq %" PRId64 " was applied after %" PRId64, toy->rows[i]->numbers[0],
                     toy->rows[i - 1]->numbers[0]);
    size_t effects = 0;
    size_t cursors = 0;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = changes[i].row;
        check_row(row);
        effects += row->table == TABLE_TOY || row->table == TABLE_QUARANTINE;
        cursors += row->table == TABLE_CURSOR && !changes[i].is_delete;
        if (row->table == TABLE_CURSOR && !changes[i].is_delete)
            check_advance(changes, count, row);
    }
    if (effects && !cursors)
        violated("effects were committed without their cursor");
}

/* --- the end ---------------------------------------------------------------------------------- */

static int64_t cursor_at(void)
{
    int64_t at = 0;
    for (size_t i = 0; i < feedback_pg.tables[TABLE_CURSOR].count; i++)
        if (feedback_pg.tables[TABLE_CURSOR].rows[i]->numbers[1] > at)
            at = feedback_pg.tables[TABLE_CURSOR].rows[i]->numbers[1];
    return at;
}

static bool has_halted(const struct node *feedback)
{
    return strcmp(toy_consumer_state(feedback), "halted") == 0;
}

bool check_is_at_rest(const struct node *feedback)
{
    if (ledger.answered < ledger.count)
        return false;
    if (ingest_pg.restores && has_halted(feedback))
        return true;
    return strcmp(toy_consumer_state(feedback), "flowing") == 0 &&
           cursor_at() == (int64_t)ingest_pg.tables[TABLE_STREAM].count;
}

static void check_answers(void)
{
    for (size_t n = 0; n < ledger.count; n++) {
        const struct asked_command *command = &ledger.commands[n];
        size_t copies = copies_of(command->text);
        if (command->is_refused && copies)
            violated("command %zu was refused and is there", n);
        if (command->is_answered && !command->is_refused && !command->is_forgiven &&
            copies != command->copies)
            violated("command %zu was answered and is there %zu times instead of %u", n, copies,
                     command->copies);
        char answer[64];
        for (size_t i = 0; copies && i < ingest_pg.tables[TABLE_STREAM].count; i++) {
            const struct row *row = ingest_pg.tables[TABLE_STREAM].rows[i];
            if (!is_body(row, command->text))
                continue;
            (void)snprintf(answer, sizeof answer, "%s at %" PRId64, command->text, row->numbers[0]);
            if (!command->is_forgiven && strcmp(answer, command->answer) != 0)
                violated("command %zu was answered \"%s\" and is \"%s\"", n, command->answer,
                         answer);
            break;
        }
    }
}

static void check_effects(void)
{
    const struct table_rows *toy = &feedback_pg.tables[TABLE_TOY];
    const struct table_rows *aside = &feedback_pg.tables[TABLE_QUARANTINE];
    if (cursor_at() != (int64_t)ingest_pg.tables[TABLE_STREAM].count)
        violated("the cursor is at %" PRId64 " and the head at %zu", cursor_at(),
                 ingest_pg.tables[TABLE_STREAM].count);
    if (toy->count + aside->count != ingest_pg.tables[TABLE_STREAM].count)
        violated("%zu effects and %zu put aside of %zu records", toy->count, aside->count,
                 ingest_pg.tables[TABLE_STREAM].count);
    for (size_t i = 0; i < toy->count; i++) {
        const struct row *row = toy->rows[i];
        check_content(row->numbers[0], row->texts[0], strlen(row->texts[0]), 1);
        if (ingest_pg.tables[TABLE_STREAM].rows[row->numbers[0] - 1]->body[0] == 'c')
            violated("seq %" PRId64 " was applied, though it belongs in quarantine",
                     row->numbers[0]);
    }
    for (size_t i = 0; i < aside->count; i++)
        check_content(aside->rows[i]->numbers[0], (const char *)aside->rows[i]->body,
                      aside->rows[i]->len, 0);
}

size_t check_innocent(void)
{
    const struct table_rows *aside = &feedback_pg.tables[TABLE_QUARANTINE];
    size_t innocent = 0;
    for (size_t i = 0; i < aside->count; i++)
        innocent += !is_planted(aside->rows[i]);
    return innocent;
}

void check_end(const struct node *feedback)
{
    check_answers();
    if (!(ingest_pg.restores && has_halted(feedback)))
        check_effects();
    if (!ingest_pg.restores && has_halted(feedback))
        violated("the consumer halted without a reason");
}
