#include "reporting/codec.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"
#include "moment/v1/recognition.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char moment_id[] = "31d21820-6f53-8c1e-9e13-e1ab68f6bff3";
static char lyon[] = "lyon";
static char sales[] = "sales";
static char billing[] = "billing";
static char anna[] = "p-anna";
static char bert[] = "p-bert";
static char red[] = "red";
static char root[] = "c5b732cf-9368-835e-a567-d40098eb06d6";

static Moment__V1__Visit first;
static Moment__V1__Visit second;
static Moment__V1__Visit *visits[] = {&first, &second};
static Moment__V1__Moment moment;
static Moment__V1__MomentChanged changed;

/* Answered by Anna in sales, passed on, now held by Bert in billing. */
static int start(void **state)
{
    (void)state;
    moment__v1__visit__init(&first);
    first.queue = sales;
    first.person_id = anna;
    first.entered_at = 1000;
    first.answered_at = 2000;
    first.ended_at = 3000;
    first.outcome = MOMENT__V1__OUTCOME__OUTCOME_BLIND_TRANSFER;
    first.talk_known_case = MOMENT__V1__VISIT__TALK_KNOWN_TALK_MS;
    first.talk_ms = 7;
    moment__v1__visit__init(&second);
    second.queue = billing;
    second.person_id = bert;
    second.entered_at = 4000;
    second.answered_at = 5000;
    moment__v1__moment__init(&moment);
    moment.moment_id = moment_id;
    moment.site = lyon;
    moment.team_id = red;
    moment.person_id = bert;
    moment.queue = sales;
    moment.started_at = 500;
    moment.channel = MOMENT__V1__CHANNEL__CHANNEL_VOICE;
    moment.state = MOMENT__V1__MOMENT_STATE__MOMENT_STATE_HELD;
    moment.wrap_known_case = MOMENT__V1__MOMENT__WRAP_KNOWN_WRAP_MS;
    moment.wrap_ms = 9;
    moment.n_visits = 2;
    moment.visits = visits;
    moment__v1__moment_changed__init(&changed);
    changed.moment = &moment;
    return 0;
}

static int read_as(const char *type, const ProtobufCMessage *message, struct fact **ret_fact)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert_int_equal(protobuf_write(message, &bytes, &len), 0);
    struct record record = {.site = "lyon",
                            .key = "k",
                            .type = type,
                            .at_us = 9000,
                            .body = {(const char *)bytes, len}};
    int rc = fact_read(&record, ret_fact);

    free(bytes);
    return rc;
}

static struct fact *read_moment(void)
{
    struct fact *fact = NULL;

    assert_int_equal(read_as("MomentChanged", &changed.base, &fact), 0);
    return fact;
}

static void a_moment_becomes_a_row_and_its_visits(void **state)
{
    struct fact *fact = read_moment();
    const struct visit_fact *read = fact->moment.visits;

    (void)state;
    assert_int_equal(fact->kind, FACT_MOMENT);
    assert_string_equal(fact->moment.channel, "voice");
    assert_string_equal(fact->moment.state, "held");
    assert_string_equal(fact->moment.outcome, "");
    assert_int_equal(fact->moment.listed_at, 500);
    assert_true(fact->moment.is_open);
    assert_int_equal(fact->moment.visit_count, 2);
    assert_int_equal(read[0].class, VISIT_ANSWERED);
    assert_string_equal(read[0].outcome, "blind_transfer");
    assert_true(read[0].is_transfer);
    assert_true(read[0].has_ended);
    assert_int_equal(read[0].talk_ms, 7);
    assert_int_equal(read[0].hold_ms, -1);
    assert_false(read[1].has_ended);
    fact_free(&fact);
    assert_null(fact);
}

static void the_customer_is_in_the_queue_of_the_visit_that_goes_on(void **state)
{
    struct fact *fact = read_moment();

    (void)state;
    assert_string_equal(fact->moment.queue_now, "billing");
    assert_int_equal(fact->moment.queue_since, 4000);
    fact_free(&fact);
}

static void wrap_and_survey_belong_to_who_served_last(void **state)
{
    (void)state;
    moment.csat_known_case = MOMENT__V1__MOMENT__CSAT_KNOWN_CSAT;
    moment.csat = 4;
    struct fact *fact = read_moment();

    assert_int_equal(fact->moment.visits[0].wrap_ms, -1);
    assert_int_equal(fact->moment.visits[1].wrap_ms, 9);
    assert_false(fact->moment.visits[0].has_csat);
    assert_true(fact->moment.visits[1].has_csat);
    fact_free(&fact);

    /* A survey that names its visit is not counted twice. */
    first.csat_known_case = MOMENT__V1__VISIT__CSAT_KNOWN_CSAT;
    first.csat = 4;
    fact = read_moment();
    assert_true(fact->moment.visits[0].has_csat);
    assert_false(fact->moment.visits[1].has_csat);
    fact_free(&fact);
}

static void a_merged_moment_counts_nowhere(void **state)
{
    (void)state;
    moment.merged_into = root;
    struct fact *fact = read_moment();

    assert_true(fact->moment.is_merged);
    assert_false(fact->moment.is_open);
    assert_int_equal(fact->moment.visit_count, 0);
    fact_free(&fact);
}

static void a_moment_without_times_is_still_listed(void **state)
{
    (void)state;
    moment.started_at = 0;
    struct fact *fact = read_moment();

    assert_int_equal(fact->moment.listed_at, 9000);
    fact_free(&fact);
}

static void what_can_not_be_read_is_refused(void **state)
{
    static char no_id[] = "moment 5";
    struct fact *fact = NULL;
    Moment__V1__AlertChanged empty;

    (void)state;
    moment.moment_id = no_id;
    assert_int_equal(read_as("MomentChanged", &changed.base, &fact), -EBADMSG);
    moment__v1__alert_changed__init(&empty);
    assert_int_equal(read_as("AlertChanged", &empty.base, &fact), -EBADMSG);
    struct record torn = {
        .site = "", .key = "", .type = "MomentChanged", .body = {"\x0a\xff\xff", 3}};

    assert_int_equal(fact_read(&torn, &fact), -EBADMSG);
    assert_null(fact);
}

static void a_record_of_a_newer_protocol_is_passed_by(void **state)
{
    struct fact *fact = NULL;

    (void)state;
    assert_int_equal(read_as("SomethingNew", &changed.base, &fact), 0);
    assert_int_equal(fact->kind, FACT_OTHER);
    fact_free(&fact);
}

static void a_live_update_says_who_may_see_it(void **state)
{
    struct fact *fact = read_moment();
    struct live_item item = {0};
    uint8_t *bytes = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(fact_pack_live(fact, "red", "", &bytes, &len), 0);
    fact_free(&fact);
    assert_int_equal(live_item_read((struct slice){(const char *)bytes, len}, &item), 0);
    free(bytes);
    assert_string_equal(item.subject.site, "lyon");
    assert_string_equal(item.subject.team, "red");
    /* Anna, who passed it on, still sees it. */
    const struct reader reader = {.reach = REACH_OWN, .user_id = "", .person_id = anna};

    assert_true(reader_sees(&reader, &item.subject));
    assert_ptr_equal(strstr(item.json, "{\"moment\":{"), item.json);
    assert_null(strchr(item.json, '\n'));
    live_item_done(&item);
}

/* The live item of a record, to be ended with live_item_done. */
static void read_live(const char *type, const ProtobufCMessage *message, struct live_item *ret_item)
{
    struct fact *fact = NULL;
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert_int_equal(read_as(type, message, &fact), 0);
    assert_int_equal(fact_pack_live(fact, fact->team, "", &bytes, &len), 0);
    fact_free(&fact);
    assert_int_equal(live_item_read((struct slice){(const char *)bytes, len}, ret_item), 0);
    free(bytes);
}

static void a_note_is_for_the_two_and_their_coaches_or_for_the_two(void **state)
{
    static char giver[] = "u-1";
    Moment__V1__Note note;
    Moment__V1__NoteChanged given;
    struct live_item item = {0};

    (void)state;
    moment__v1__note__init(&note);
    note.note_id = note.moment_id = moment_id;
    note.giver = giver;
    note.receiver = anna;
    note.site = lyon;
    note.team_id = red;
    moment__v1__note_changed__init(&given);
    given.note = &note;
    read_live("NoteChanged", &given.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_PRIVATE);
    assert_string_equal(item.subject.author_id, "u-1");
    assert_string_equal(item.subject.people[0], "p-anna");
    assert_string_equal(item.subject.site, "lyon");
    assert_string_equal(item.subject.team, "red");
    assert_ptr_equal(strstr(item.json, "{\"note\":{"), item.json);
    live_item_done(&item);
    note.is_private = true;
    read_live("NoteChanged", &given.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_PARTIES);
    live_item_done(&item);
}

static void what_was_taken_back_from_the_wall_is_told_without_its_words(void **state)
{
    static char secret[] = "secret";
    static char kept[] = "kept";
    Moment__V1__Comment taken, other;
    Moment__V1__Comment *comments[] = {&taken, &other};
    Moment__V1__Post post;
    Moment__V1__PostChanged posted;
    struct live_item item = {0};

    (void)state;
    moment__v1__comment__init(&taken);
    moment__v1__comment__init(&other);
    taken.text = secret;
    taken.withdrawn = true;
    other.text = kept;
    moment__v1__post__init(&post);
    post.post_id = moment_id;
    post.text = kept;
    post.comments = comments;
    post.n_comments = 2;
    moment__v1__post_changed__init(&posted);
    posted.post = &post;
    read_live("PostChanged", &posted.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_HOUSE);
    assert_null(strstr(item.json, "secret"));
    assert_non_null(strstr(item.json, "kept"));
    live_item_done(&item);
    post.withdrawn = true;
    read_live("PostChanged", &posted.base, &item);
    assert_null(strstr(item.json, "kept"));
    live_item_done(&item);
}

static void a_standard_is_for_the_house_once_it_is_published(void **state)
{
    char *sites[] = {lyon, lyon};
    Moment__V1__StandardScope scope;
    Moment__V1__Standard standard;
    Moment__V1__StandardChanged saved;
    struct live_item item = {0};

    (void)state;
    moment__v1__standard_scope__init(&scope);
    scope.sites = sites;
    scope.n_sites = 1;
    moment__v1__standard__init(&standard);
    standard.standard_id = red;
    standard.scope = &scope;
    standard.state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT;
    moment__v1__standard_changed__init(&saved);
    saved.standard = &standard;
    read_live("StandardChanged", &saved.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_LEADERS);
    assert_string_equal(item.subject.site, "lyon");
    live_item_done(&item);
    scope.n_sites = 2; /* of several sites: for who has no limit */
    read_live("StandardChanged", &saved.base, &item);
    assert_string_equal(item.subject.site, "");
    live_item_done(&item);
    standard.state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DISCARDED;
    read_live("StandardChanged", &saved.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_LEADERS);
    live_item_done(&item);
    standard.state = MOMENT__V1__STANDARD_STATE__STANDARD_STATE_RETIRED;
    read_live("StandardChanged", &saved.base, &item);
    assert_int_equal(item.subject.audience, AUDIENCE_HOUSE);
    live_item_done(&item);
}

static void nobody_watches_the_directory(void **state)
{
    Moment__V1__DirectoryChanged directory;
    Moment__V1__Site site;
    struct fact *fact = NULL;
    uint8_t *bytes = NULL;
    size_t len = 0;

    (void)state;
    moment__v1__site__init(&site);
    site.site_id = lyon;
    moment__v1__directory_changed__init(&directory);
    directory.entry_case = MOMENT__V1__DIRECTORY_CHANGED__ENTRY_SITE;
    directory.site = &site;
    assert_int_equal(read_as("DirectoryChanged", &directory.base, &fact), 0);
    assert_int_equal(fact->kind, FACT_SITE);
    assert_int_equal(fact_pack_live(fact, "", "", &bytes, &len), -ENOENT);
    fact_free(&fact);
}

static void every_unknown_is_null_in_json(void **state)
{
    json_t *json = codec_json(&moment.base);
    json_t *visit = json_array_get(json_object_get(json, "visits"), 1);

    (void)state;
    assert_true(json_is_null(json_object_get(json, "agent")));
    assert_true(json_is_null(json_object_get(json, "outcome")));
    assert_true(json_is_null(json_object_get(json, "ended_at")));
    assert_true(json_is_null(json_object_get(json, "talk_ms")));
    assert_true(json_is_null(json_object_get(visit, "agent")));
    assert_string_equal(json_string_value(json_object_get(json, "state")), "held");
    assert_string_equal(json_string_value(json_object_get(json, "started_at")),
                        "1970-01-01T00:00:00.000Z");
    json_decref(json);
}

static void names_of_values_are_known(void **state)
{
    int number = 0;

    (void)state;
    assert_int_equal(codec_outcome("exit_key", &number), 0);
    assert_int_equal(number, MOMENT__V1__OUTCOME__OUTCOME_EXIT_KEY);
    assert_int_equal(codec_channel("voice", &number), 0);
    assert_int_equal(codec_moment_state("talking", &number), 0);
    assert_int_equal(codec_outcome("unspecified", &number), -EINVAL);
    assert_int_equal(codec_outcome("", &number), -EINVAL);
    assert_int_equal(codec_channel("telepathy", &number), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_moment_becomes_a_row_and_its_visits, start),
        cmocka_unit_test_setup(the_customer_is_in_the_queue_of_the_visit_that_goes_on, start),
        cmocka_unit_test_setup(wrap_and_survey_belong_to_who_served_last, start),
        cmocka_unit_test_setup(a_merged_moment_counts_nowhere, start),
        cmocka_unit_test_setup(a_moment_without_times_is_still_listed, start),
        cmocka_unit_test_setup(what_can_not_be_read_is_refused, start),
        cmocka_unit_test_setup(a_record_of_a_newer_protocol_is_passed_by, start),
        cmocka_unit_test_setup(a_live_update_says_who_may_see_it, start),
        cmocka_unit_test(a_note_is_for_the_two_and_their_coaches_or_for_the_two),
        cmocka_unit_test(what_was_taken_back_from_the_wall_is_told_without_its_words),
        cmocka_unit_test(a_standard_is_for_the_house_once_it_is_published),
        cmocka_unit_test_setup(nobody_watches_the_directory, start),
        cmocka_unit_test_setup(every_unknown_is_null_in_json, start),
        cmocka_unit_test_setup(names_of_values_are_known, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
