/* standard - `momentctl standard`: what good looks like, published from a file. */
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "ctl/whole_file.h"
#include "io/json.h"
#include "moment/v1/feedback.pb-c.h"

#include <getopt.h>
#include <stdio.h>

/* Null after saying where the file is wrong. */
static ProtobufCMessage *read_standard(const char *path)
{
    struct buf buf;
    struct json_error error = {.path = ""};
    json_t *json = NULL;
    ProtobufCMessage *message = NULL;
    if (whole_file_read(path, &buf) == CTL_OK) {
        const struct slice text = {buf_text(&buf), buf.len};
        if (json_parse(text, &json, &error) < 0 ||
            json_to_protobuf(json, &moment__v1__standard__descriptor, &message, &error) < 0) {
            (void)ctl_fail("%s: %s%s%s", path, error.path, error.path[0] != '\0' ? ": " : "",
                           error.message);
            message = NULL;
        }
    }
    json_decref(json);
    buf_done(&buf);
    return message;
}

static int publish(ProtobufCMessage *standard)
{
    Moment__V1__PublishStandardRequest request;
    moment__v1__publish_standard_request__init(&request);
    request.standard = (Moment__V1__Standard *)standard;
    const struct question question =
        QUESTION("feedback", "feedback.PublishStandard", true, &request, publish_standard);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__Standard *published =
        ((Moment__V1__PublishStandardResponse *)response)->standard;
    if (published != NULL)
        ctl_say("%s version %u published: %s", published->standard_id, published->version,
                published->title);
    ask_free(response);
    return CTL_OK;
}

int standard_publish_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    int code = ctl_words(command, argc, argv, 1, 1, &unused);
    if (code != 0)
        return code;
    ProtobufCMessage *standard = read_standard(argv[optind]);
    if (standard == NULL)
        return CTL_FAILED;
    code = publish(standard);
    ask_free(standard);
    return code;
}

static const char *state_name(const Moment__V1__Standard *standard)
{
    switch (standard->state) {
    case MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DRAFT:
        return "draft";
    case MOMENT__V1__STANDARD_STATE__STANDARD_STATE_PUBLISHED:
        return standard->n_canary_sites > 0 && standard->rolled_out_at == 0 ? "canary"
                                                                            : "published";
    case MOMENT__V1__STANDARD_STATE__STANDARD_STATE_RETIRED:
        return "retired";
    case MOMENT__V1__STANDARD_STATE__STANDARD_STATE_DISCARDED:
        return "discarded";
    case MOMENT__V1__STANDARD_STATE__STANDARD_STATE_UNSPECIFIED:
    case _MOMENT__V1__STANDARD_STATE_IS_INT_SIZE:
        break;
    }
    return "-";
}

static void print_standards(const Moment__V1__ListStandardsResponse *list)
{
    static const char *const headings[] = {"STANDARD",  "VERSION",   "STATE", "CRITERIA",
                                           "EFFECTIVE", "SIGNED BY", "TITLE"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < list->n_standards; i++) {
        const Moment__V1__Standard *standard = list->standards[i];
        char version[16];
        char criteria[32];
        char when[TABLE_TIME_SIZE];
        (void)snprintf(version, sizeof(version), "%u", standard->version);
        (void)snprintf(criteria, sizeof(criteria), "%zu", standard->n_criteria);
        table_add(&table,
                  (const char *const[]){standard->standard_id, version, state_name(standard),
                                        criteria, table_time(standard->effective_at, when),
                                        standard->signed_by, standard->title});
    }
    table_print(&table, "No standards yet; `momentctl standard publish FILE` publishes one.");
}

int standard_list_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    Moment__V1__ListStandardsRequest request;
    moment__v1__list_standards_request__init(&request);
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION("feedback", "feedback.ListStandards", false, &request, list_standards);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    if (wants_json)
        ask_print_json(response);
    else
        print_standards((Moment__V1__ListStandardsResponse *)response);
    ask_free(response);
    return CTL_OK;
}
