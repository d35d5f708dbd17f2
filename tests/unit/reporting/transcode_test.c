#include "reporting/transcode.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static struct transcode_form form;
static ProtobufCMessage *message;

static int stop(void **state)
{
    (void)state;
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
    message = NULL;
    return 0;
}

static void begin(const ProtobufCMessageDescriptor *request)
{
    stop(NULL);
    transcode_begin(&form, request);
}

static void is_read(void)
{
    int rc = transcode_end(&form, &message);

    if (rc < 0)
        print_error("%s: %s\n", form.problem.field, form.problem.detail);
    assert_int_equal(rc, 0);
}

static void is_refused(uint32_t status, const char *type, const char *field)
{
    assert_int_equal(transcode_end(&form, &message), -EINVAL);
    assert_int_equal(form.problem.status, status);
    assert_string_equal(form.problem.type, type);
    assert_string_equal(form.problem.field, field);
    assert_true(form.problem.detail[0] != '\0');
    assert_null(message);
}

static void a_query_fills_fields_of_every_plain_type(void **state)
{
    (void)state;
    begin(&moment__v1__list_alerts_request__descriptor);
    transcode_query(&form, "queue", "sales");
    transcode_query(&form, "state", "raised");
    transcode_query(&form, "limit", "20");
    transcode_query(&form, "open_only", "true");
    is_read();
    const Moment__V1__ListAlertsRequest *ask = (const void *)message;

    assert_string_equal(ask->queue, "sales");
    assert_int_equal(ask->state, MOMENT__V1__ALERT_STATE__ALERT_STATE_RAISED);
    assert_int_equal(ask->limit, 20);
    assert_true(ask->open_only);
    assert_string_equal(ask->site, "");
}

static void times_and_repeated_fields_are_read_too(void **state)
{
    (void)state;
    begin(&moment__v1__get_accountability_request__descriptor);
    transcode_query(&form, "from_at", "2026-03-02T14:00:00Z");
    is_read();
    const Moment__V1__GetAccountabilityRequest *when = (const void *)message;

    assert_int_equal(when->from_at, INT64_C(1772460000) * 1000000);
    begin(&moment__v1__list_colleagues_request__descriptor);
    transcode_query(&form, "roles", "coach");
    transcode_query(&form, "roles", "leader");
    is_read();
    const Moment__V1__ListColleaguesRequest *who = (const void *)message;

    assert_int_equal(who->n_roles, 2);
    assert_string_equal(who->roles[1], "leader");
}

static void a_query_that_says_nothing_known_is_refused_by_name(void **state)
{
    static const struct {
        const char *name, *value, *type;
    } wrong[] = {
        {"colour", "red", "unknown-parameter"},
        {"", "x", "unknown-parameter"},
        {"limit", "many", "invalid-field"},
        {"limit", "-1", "invalid-field"},
        {"limit", "99999999999", "invalid-field"},
        {"open_only", "yes", "invalid-field"},
        {"open_only", "1", "invalid-field"},
        {"state", "lost", "invalid-field"},
        {"queue", "", "invalid-field"},
        {"queue", "\xff", "invalid-field"},
    };
    char longer[TRANSCODE_VALUE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < countof(wrong); i++) {
        begin(&moment__v1__list_alerts_request__descriptor);
        transcode_query(&form, wrong[i].name, wrong[i].value);
        is_refused(400, wrong[i].type, wrong[i].name);
    }
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    begin(&moment__v1__list_alerts_request__descriptor);
    transcode_query(&form, "queue", longer);
    is_refused(400, "invalid-field", "queue");
}

static void a_plain_field_is_said_once_and_a_repeated_one_not_without_end(void **state)
{
    (void)state;
    begin(&moment__v1__list_alerts_request__descriptor);
    transcode_query(&form, "queue", "a");
    transcode_query(&form, "queue", "b");
    is_refused(400, "invalid-field", "queue");
    begin(&moment__v1__list_colleagues_request__descriptor);
    for (int i = 0; i <= TRANSCODE_REPEATS_MAX; i++)
        transcode_query(&form, "roles", "coach");
    is_refused(400, "invalid-field", "roles");
}

static void a_message_or_a_revision_is_no_query(void **state)
{
    (void)state;
    begin(&moment__v1__save_alert_rule_request__descriptor);
    transcode_query(&form, "rule", "x");
    is_refused(400, "unknown-parameter", "rule");
    begin(&moment__v1__save_alert_rule_request__descriptor);
    transcode_query(&form, "if_revision", "1");
    is_refused(400, "unknown-parameter", "if_revision");
}

static void path_body_and_if_match_meet_in_one_message(void **state)
{
    (void)state;
    begin(&moment__v1__save_alert_rule_request__descriptor);
    transcode_body(&form, slice_of("{\"rule\":{\"title\":\"Long wait\",\"subject\":\"waiting\","
                                   "\"threshold\":2.5,\"sites\":[\"lyon\"]}}"));
    transcode_path(&form, "rule_id", "r-1");
    transcode_if_match(&form, "\"7\"");
    is_read();
    const Moment__V1__SaveAlertRuleRequest *save = (const void *)message;

    assert_string_equal(save->rule_id, "r-1");
    assert_int_equal(save->if_revision, 7);
    assert_string_equal(save->rule->title, "Long wait");
    assert_int_equal(save->rule->subject, MOMENT__V1__ALERT_SUBJECT__ALERT_SUBJECT_WAITING);
    assert_string_equal(save->rule->sites[0], "lyon");
}

static void no_body_and_an_empty_object_are_the_same(void **state)
{
    static const char *const bodies[] = {"", "{}", " { } "};

    (void)state;
    for (size_t i = 0; i < countof(bodies); i++) {
        begin(&moment__v1__acknowledge_alert_request__descriptor);
        transcode_body(&form, slice_of(bodies[i]));
        transcode_path(&form, "alert_id", "a-1");
        transcode_if_match(&form, "");
        is_read();
        assert_string_equal(((const Moment__V1__AcknowledgeAlertRequest *)message)->alert_id,
                            "a-1");
    }
}

static void a_body_is_refused_by_the_path_to_what_is_wrong_in_it(void **state)
{
    static const struct {
        const char *body;
        uint32_t status;
        const char *type, *field;
    } wrong[] = {
        {"{", 400, "malformed", ""},
        {"[]", 400, "malformed", ""},
        {"\"x\"", 400, "malformed", ""},
        {"{\"rule\":{},\"rule\":{}}", 400, "malformed", ""},
        {"{\"rule\":7}", 422, "invalid-field", "rule"},
        {"{\"rule\":{\"sites\":[\"a\",5]}}", 422, "invalid-field", "rule.sites[1]"},
        {"{\"rule\":{\"colour\":\"red\"}}", 422, "invalid-field", "rule.colour"},
        {"{\"colour\":\"red\"}", 422, "invalid-field", "colour"},
        {"{\"rule\":{\"subject\":\"waving\"}}", 422, "invalid-field", "rule.subject"},
        {"{\"if_revision\":3}", 422, "invalid-field", "if_revision"},
        {"{\"rule_id\":\"other\"}", 422, "invalid-field", "rule_id"},
    };

    (void)state;
    for (size_t i = 0; i < countof(wrong); i++) {
        begin(&moment__v1__save_alert_rule_request__descriptor);
        transcode_body(&form, slice_of(wrong[i].body));
        transcode_path(&form, "rule_id", "r-1");
        is_refused(wrong[i].status, wrong[i].type, wrong[i].field);
    }
}

static void if_match_is_a_strong_tag_of_ours_or_refused(void **state)
{
    static const char *const wrong[] = {"*",     "7",      "W/\"7\"",     "\"0\"",          "\"\"",
                                        "\"x\"", "\"-1\"", "\"1\",\"2\"", "\"4294967296\"", "\""};

    (void)state;
    for (size_t i = 0; i < countof(wrong); i++) {
        begin(&moment__v1__save_alert_rule_request__descriptor);
        transcode_if_match(&form, wrong[i]);
        is_refused(400, "invalid-field", "If-Match");
    }
    begin(&moment__v1__acknowledge_alert_request__descriptor);
    transcode_if_match(&form, "\"1\"");
    is_refused(400, "invalid-field", "If-Match");
}

static void the_first_thing_wrong_is_what_is_told(void **state)
{
    (void)state;
    begin(&moment__v1__list_alerts_request__descriptor);
    transcode_query(&form, "colour", "red");
    transcode_query(&form, "limit", "many");
    transcode_path(&form, "nothing", "x");
    transcode_if_match(&form, "*");
    is_refused(400, "unknown-parameter", "colour");
}

static void a_page_has_items_and_another_list_its_own_name(void **state)
{
    static char one[] = "n-1";
    static char next[] = "more";
    Moment__V1__Note note;
    Moment__V1__Note *notes[] = {&note};
    Moment__V1__ListNotesResponse page;
    Moment__V1__ListAlertRulesResponse rules;

    (void)state;
    moment__v1__note__init(&note);
    moment__v1__list_notes_response__init(&page);
    moment__v1__list_alert_rules_response__init(&rules);
    note.note_id = one;
    page.notes = notes;
    page.n_notes = 1;
    page.next = next;
    json_t *json = transcode_answer(&page.base);

    assert_int_equal(json_object_size(json), 2);
    assert_string_equal(json_string_value(json_object_get(json, "next")), "more");
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(json, "items"), 0), "note_id")),
                        "n-1");
    json_decref(json);
    json = transcode_items(&page.base);
    assert_int_equal(json_array_size(json), 1);
    json_decref(json);
    json = transcode_answer(&rules.base);
    assert_true(json_is_array(json_object_get(json, "rules")));
    json_decref(json);
}

static void the_revision_of_the_first_message_is_the_tag(void **state)
{
    char tag[TRANSCODE_TAG_SIZE];
    Moment__V1__AlertRule rule;
    Moment__V1__Alert alert;
    Moment__V1__SaveAlertRuleResponse saved;
    Moment__V1__CloseAlertResponse closed;
    Moment__V1__ListPostsResponse page;

    (void)state;
    moment__v1__alert_rule__init(&rule);
    moment__v1__alert__init(&alert);
    moment__v1__save_alert_rule_response__init(&saved);
    moment__v1__close_alert_response__init(&closed);
    moment__v1__list_posts_response__init(&page);
    assert_false(transcode_tag(&saved.base, tag));
    rule.revision = 4294967295;
    saved.rule = &rule;
    assert_true(transcode_tag(&saved.base, tag));
    assert_string_equal(tag, "\"4294967295\"");
    closed.alert = &alert;
    assert_false(transcode_tag(&closed.base, tag));
    assert_false(transcode_tag(&page.base, tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_fills_fields_of_every_plain_type),
        cmocka_unit_test(times_and_repeated_fields_are_read_too),
        cmocka_unit_test(a_query_that_says_nothing_known_is_refused_by_name),
        cmocka_unit_test(a_plain_field_is_said_once_and_a_repeated_one_not_without_end),
        cmocka_unit_test(a_message_or_a_revision_is_no_query),
        cmocka_unit_test(path_body_and_if_match_meet_in_one_message),
        cmocka_unit_test(no_body_and_an_empty_object_are_the_same),
        cmocka_unit_test(a_body_is_refused_by_the_path_to_what_is_wrong_in_it),
        cmocka_unit_test(if_match_is_a_strong_tag_of_ours_or_refused),
        cmocka_unit_test(the_first_thing_wrong_is_what_is_told),
        cmocka_unit_test(a_page_has_items_and_another_list_its_own_name),
        cmocka_unit_test(the_revision_of_the_first_message_is_the_tag),
    };

    return cmocka_run_group_tests(tests, NULL, stop);
}
