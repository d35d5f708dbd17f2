/* ask - see ask.h. */
#include "ctl/ask.h"

#include "base/id.h"
#include "ctl/ctl.h"
#include "io/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    const struct question *question; /* borrowed */
    struct loop *loop;
    struct bus *bus;
    struct timer *connect_timer;
    char command_id[ID_TEXT_SIZE];
    bool is_sent;
    int result;
    ProtobufCMessage *response;
    struct problem *problem; /* borrowed */
};

/* The bus keeps the response for the callback only. */
static ProtobufCMessage *copy_of(const ProtobufCMessage *message)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    ProtobufCMessage *copy = NULL;
    if (protobuf_write(message, &bytes, &len) < 0)
        return NULL;
    if (protobuf_read(message->descriptor, (struct slice){(const char *)bytes, len}, &copy) < 0)
        copy = NULL;
    free(bytes);
    return copy;
}

static void on_reply(void *arg, const ProtobufCMessage *response, const struct problem *problem)
{
    struct asking *asking = arg;
    if (problem != NULL) {
        *asking->problem = *problem;
        asking->result = -EIO;
    } else {
        asking->response = copy_of(response);
        asking->result = asking->response != NULL ? 0 : -ENOMEM;
        if (asking->response == NULL)
            problem_set(asking->problem, 500, "out-of-memory", NULL, "no memory for the answer");
    }
    loop_stop(asking->loop);
}

static void on_link(void *arg, const char *peer, bool is_up, const char *reason)
{
    struct asking *asking = arg;
    (void)reason;
    if (!is_up || asking->is_sent)
        return;
    asking->is_sent = true;
    timer_stop(asking->connect_timer);
    bus_call(asking->bus, peer, asking->question->method, NULL,
             asking->question->is_command ? asking->command_id : "", asking->question->request,
             asking->question->response, ASK_DEADLINE_MS, on_reply, asking);
}

static void on_connect_timeout(void *arg)
{
    struct asking *asking = arg;
    const char *reason = bus_link_reason(asking->bus, asking->question->service);
    problem_set(asking->problem, 503, "not-reachable", NULL, "%s",
                reason[0] != '\0' ? reason : "nobody answers");
    asking->result = -EIO;
    loop_stop(asking->loop);
}

static int connect_and_run(struct asking *asking, const struct conf *conf)
{
    char setting[32];
    char error[512] = "";
    const struct bus_options options = {.name = "operator",
                                        .keys_dir = conf_text(conf, "keys_dir"),
                                        .on_link = on_link,
                                        .arg = asking};
    (void)snprintf(setting, sizeof(setting), "peer_%s", asking->question->service);
    int result = bus_open(asking->loop, &options, &asking->bus, error, sizeof(error));
    if (result == 0)
        result = bus_connect(asking->bus, asking->question->service, conf_text(conf, setting),
                             error, sizeof(error));
    if (result < 0) {
        problem_set(asking->problem, 500, "no-connection", NULL, "%s", error);
        return result;
    }
    timer_start(asking->connect_timer, ASK_CONNECT_MS, 0);
    loop_run(asking->loop);
    return asking->result;
}

int ask(const struct question *question, ProtobufCMessage **ret_response, struct problem *problem)
{
    struct asking asking = {.question = question, .result = -EIO, .problem = problem};
    const struct conf *conf = ctl_conf();
    struct id id = id_v7();
    (void)id_print(&id, asking.command_id);
    problem_set(problem, 500, "no-settings", NULL, "the settings could not be read");
    if (conf == NULL)
        return -EINVAL;
    int result = loop_new(&asking.loop);
    if (result < 0)
        return result;
    result = timer_new(asking.loop, on_connect_timeout, &asking, &asking.connect_timer);
    if (result == 0)
        result = connect_and_run(&asking, conf);
    timer_free(&asking.connect_timer);
    if (asking.bus != NULL)
        bus_close(&asking.bus);
    loop_free(&asking.loop);
    if (result == 0)
        *ret_response = asking.response;
    return result;
}

void ask_tell(const struct question *question, const struct problem *problem)
{
    char setting[32];
    const struct conf *conf = ctl_conf();
    (void)snprintf(setting, sizeof(setting), "peer_%s", question->service);
    if (conf == NULL)
        return;
    if (problem->status == 503 || problem->status == 504)
        (void)ctl_fail("%s does not answer at %s (%s). Is it running? `make run` starts "
                       "everything; its log is in %s/log/%s.log",
                       question->service, conf_text(conf, setting), problem->detail, ctl_dir(),
                       question->service);
    else if (problem->field[0] != '\0')
        (void)ctl_fail("%s: %s", problem->field, problem->detail);
    else
        (void)ctl_fail("%s", problem->detail[0] != '\0' ? problem->detail : problem->title);
}

ProtobufCMessage *ask_or_tell(const struct question *question)
{
    struct problem problem;
    ProtobufCMessage *response = NULL;
    if (ask(question, &response, &problem) < 0) {
        ask_tell(question, &problem);
        return NULL;
    }
    return response;
}

void ask_free(ProtobufCMessage *response)
{
    if (response != NULL)
        protobuf_c_message_free_unpacked(response, NULL);
}

void ask_print_json(const ProtobufCMessage *response)
{
    json_t *json = json_from_protobuf(response);
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(json);
}
