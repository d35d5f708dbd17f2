/* webhooks - see the header. */
#include "recognition/webhooks.h"

#include "base/seal.h"
#include "io/fetch.h"
#include "recognition/deliveries.h"
#include "recognition/rules/webhook.h"
#include "recognition/store_webhooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTITIES_BYTES_MAX (1024 * 1024)
#define KINDS_MAX 4
#define PRIVATE_HINT " An operator may allow such addresses with the setting webhook_allow_private."

static int save(struct txn *txn, const char *id unused_arg, const ProtobufCMessage *message)
{
    return store_save_webhook(txn, (const Moment__V1__Webhook *)message);
}

static const struct entity_kind webhook_kind = {
    .name = "webhook",
    .descriptor = &moment__v1__webhook__descriptor,
    .select = STORE_SELECT_WEBHOOK,
    .save = save,
};

void webhooks_queue(struct txn *txn, Moment__V1__PostKind kind, uint64_t seq)
{
    store_queue_deliveries(txn, (int32_t)kind, seq);
}

void webhooks_put(struct recognition *recognition, struct txn *txn, Moment__V1__Webhook *webhook,
                  bool is_told)
{
    Moment__V1__WebhookChanged changed;

    if (is_told) {
        moment__v1__webhook_changed__init(&changed);
        webhook->revision++;
        webhook->changed_at = txn_now_us(txn);
        changed.webhook = webhook;
        (void)recognition_emit(recognition, txn, "", webhook->webhook_id, &changed.base);
    }
    entity_put(recognition->webhooks->entities, txn, webhook->webhook_id, &webhook->base);
}

/* --- the commands --- */

struct webhook_command {
    struct command command; /* first */
    char made_id[ID_TEXT_SIZE];
    uint8_t key[WEBHOOK_KEY_BYTES];
    int64_t count; /* of what load counted */
};

static struct recognition *recognition_of(const struct command *command)
{
    return command->state;
}

static void on_count(void *arg, int status, const struct db_rows *rows,
                     const struct db_error *error unused_arg)
{
    struct webhook_command *self = arg;

    if (status == 0) {
        self->count = db_get_i64(rows, 0, 0);
    }
}

static void start(struct recognition *recognition, struct call *call, command_load_fn *load,
                  command_apply_fn *apply, bool (*settle)(struct command *command))
{
    struct webhook_command *self = command_new(sizeof(*self), call, recognition, load, apply);
    struct id id = id_v7();

    self->command.settle = settle;
    (void)id_print(&id, self->made_id);
    seal_random(self->key, sizeof(self->key));
    command_start(service_bus(recognition->service), &self->command);
}

/* A copy to change. Null: there is none, and problem says so. */
static Moment__V1__Webhook *edit(const struct command *command, const char *id,
                                 struct problem *problem)
{
    const Moment__V1__Webhook *webhook =
        (const Moment__V1__Webhook *)entity_get(recognition_of(command)->webhooks->entities, id);

    if (webhook == NULL || webhook->removed) {
        (void)call_not_found(problem, "webhook_id", "webhook");
        return NULL;
    }
    return (Moment__V1__Webhook *)entity_edit(&webhook->base);
}

static void *new_answer(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *answer = recognition_new(type->sizeof_message);
    protobuf_c_message_init(type, answer);
    return answer;
}

/* --- AddWebhook --- */

static const Moment__V1__AddWebhookRequest *wish_of(const struct command *command)
{
    return (const Moment__V1__AddWebhookRequest *)call_request(command->call);
}

static void load_add(struct command *command, struct txn *txn)
{
    store_load_webhook_count(txn, on_count, command);
}

static Moment__V1__Webhook *new_webhook(const struct webhook_command *self, const struct txn *txn)
{
    const Moment__V1__AddWebhookRequest *wish = wish_of(&self->command);
    const struct caller *caller = call_caller(self->command.call);
    Moment__V1__Webhook *webhook = new_answer(&moment__v1__webhook__descriptor);

    webhook->enabled = true;
    webhook->state = MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_WORKING;
    webhook->created_at = txn_now_us(txn);
    entity_set_text(&webhook->webhook_id, self->made_id);
    entity_set_text(&webhook->url, wish->url);
    entity_set_text(&webhook->created_by, caller->id);
    entity_set_text(&webhook->changed_by, caller->id);
    if (wish->n_kinds > 0) {
        webhook->kinds = recognition_new(wish->n_kinds * sizeof(*webhook->kinds));
        memcpy(webhook->kinds, wish->kinds, wish->n_kinds * sizeof(*webhook->kinds));
        webhook->n_kinds = wish->n_kinds;
    }
    return webhook;
}

static int apply_add(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                     struct problem *problem)
{
    const struct webhook_command *self = (const struct webhook_command *)command;
    Moment__V1__AddWebhookResponse *response;
    Moment__V1__Webhook *webhook;
    char secret[WEBHOOK_SECRET_SIZE];

    if (self->count >= WEBHOOKS_MAX) {
        problem_set(problem, 409, "too-many-webhooks", NULL,
                    "There are %d webhooks; remove one of them first.", WEBHOOKS_MAX);
        return -ENOSPC;
    }
    webhook = new_webhook(self, txn);
    webhooks_put(recognition_of(command), txn, webhook, true);
    store_save_webhook_key(txn, self->made_id, self->key, sizeof(self->key));
    webhook_print_secret(self->key, secret);
    response = (Moment__V1__AddWebhookResponse *)codec_answer(
        &moment__v1__add_webhook_response__descriptor, &webhook->base);
    entity_set_text(&response->secret, secret);
    *ret_response = &response->base;
    return 0;
}

static bool are_kinds_good(const Moment__V1__AddWebhookRequest *wish)
{
    for (size_t i = 0; i < wish->n_kinds; i++) {
        if (wish->kinds[i] < MOMENT__V1__POST_KIND__POST_KIND_PRAISE ||
            wish->kinds[i] > MOMENT__V1__POST_KIND__POST_KIND_CELEBRATION) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (wish->kinds[i] == wish->kinds[j]) {
                return false;
            }
        }
    }
    return wish->n_kinds <= KINDS_MAX;
}

void webhooks_add(void *state, struct call *call)
{
    struct recognition *recognition = state;
    const Moment__V1__AddWebhookRequest *wish =
        (const Moment__V1__AddWebhookRequest *)call_request(call);
    bool allows_private = conf_boolean(service_conf(recognition->service), "webhook_allow_private");
    const char *fault = fetch_url_fault(wish->url, allows_private);

    if (fault != NULL) {
        call_refuse(call, 422, "invalid-field", "url", "%s%s", fault,
                    fetch_url_fault(wish->url, true) == NULL ? PRIVATE_HINT : "");
    } else if (!are_kinds_good(wish)) {
        call_refuse(call, 422, "invalid-field", "kinds",
                    "Each of praise, story, journal, celebration at most once; none means all.");
    } else {
        start(recognition, call, load_add, apply_add, NULL);
    }
}

/* --- RemoveWebhook, EnableWebhook --- */

/* Each request about one webhook has its id as the first field. */
static const char *webhook_id_of(const struct call *call)
{
    const ProtobufCMessage *request = call_request(call);
    const char *id;

    memcpy(&id, (const char *)request + request->descriptor->fields[0].offset, sizeof(id));
    return id;
}

static void load_webhook(struct command *command, struct txn *txn)
{
    entity_load(recognition_of(command)->webhooks->entities, txn, webhook_id_of(command->call));
}

static int apply_remove(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const char *id = webhook_id_of(command->call);
    Moment__V1__Webhook *webhook = edit(command, id, problem);

    if (webhook == NULL) {
        return -ENOENT;
    }
    webhook->removed = true;
    webhook->enabled = false;
    webhook->state = MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_DISABLED;
    entity_set_text(&webhook->changed_by, call_caller(command->call)->id);
    webhooks_put(recognition_of(command), txn, webhook, true);
    store_strip_webhook(txn, id);
    *ret_response = new_answer(&moment__v1__remove_webhook_response__descriptor);
    return 0;
}

void webhooks_remove(void *state, struct call *call)
{
    if (recognition_check_id(call, "webhook_id", webhook_id_of(call), "webhook")) {
        start(state, call, load_webhook, apply_remove, NULL);
    }
}

static int apply_enable(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const Moment__V1__EnableWebhookRequest *request =
        (const Moment__V1__EnableWebhookRequest *)call_request(command->call);
    Moment__V1__Webhook *webhook = edit(command, request->webhook_id, problem);
    bool is_told;

    if (webhook == NULL) {
        return -ENOENT;
    }
    is_told = (webhook->enabled != 0) != (request->enabled != 0);
    if (is_told) {
        webhook->enabled = request->enabled;
        webhook->state = request->enabled ? MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_WORKING
                                          : MOMENT__V1__WEBHOOK_STATE__WEBHOOK_STATE_DISABLED;
        entity_set_text(&webhook->detail, "");
        entity_set_text(&webhook->changed_by, call_caller(command->call)->id);
    }
    webhooks_put(recognition_of(command), txn, webhook, is_told);
    *ret_response = codec_answer(&moment__v1__enable_webhook_response__descriptor, &webhook->base);
    return 0;
}

void webhooks_enable(void *state, struct call *call)
{
    if (recognition_check_id(call, "webhook_id", webhook_id_of(call), "webhook")) {
        start(state, call, load_webhook, apply_enable, NULL);
    }
}

/* --- lists --- */

void webhooks_list(void *state, struct call *call)
{
    const struct recognition *recognition = state;

    store_list_webhooks(service_reader(recognition->service), call);
}

void webhooks_list_dead_letters(void *state, struct call *call)
{
    const struct recognition *recognition = state;
    const Moment__V1__ListDeadLettersRequest *request =
        (const Moment__V1__ListDeadLettersRequest *)call_request(call);
    struct listing page;
    struct id id;

    if (recognition_check_id(call, "webhook_id", request->webhook_id, "webhook") &&
        id_parse(request->webhook_id, &id) == 0 &&
        listing_read(call, request->limit, request->cursor, &page)) {
        store_list_dead_letters(service_reader(recognition->service), call, &page, &id);
    }
}

/* --- ReplayWebhook --- */

static const Moment__V1__ReplayWebhookRequest *replay_of(const struct command *command)
{
    return (const Moment__V1__ReplayWebhookRequest *)call_request(command->call);
}

static void load_replay(struct command *command, struct txn *txn)
{
    load_webhook(command, txn);
    store_load_replay_count(txn, replay_of(command)->webhook_id, replay_of(command)->since_at,
                            on_count, command);
}

static int apply_replay(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const struct webhook_command *self = (const struct webhook_command *)command;
    Moment__V1__Webhook *webhook = edit(command, replay_of(command)->webhook_id, problem);
    Moment__V1__ReplayWebhookResponse *response;

    if (webhook == NULL) {
        return -ENOENT;
    }
    codec_free(&webhook->base);
    if (self->count > WEBHOOKS_REPLAY_MAX) {
        problem_set(problem, 422, "invalid-field", "since_at",
                    "That would be %lld deliveries; at most %d at once: name a later time.",
                    (long long)self->count, WEBHOOKS_REPLAY_MAX);
        return -E2BIG;
    }
    store_replay(txn, replay_of(command)->webhook_id, replay_of(command)->since_at);
    response = new_answer(&moment__v1__replay_webhook_response__descriptor);
    response->deliveries = (uint32_t)self->count;
    *ret_response = &response->base;
    return 0;
}

static bool settle_replay(struct command *command)
{
    deliveries_wake(recognition_of(command)->webhooks->deliveries);
    return false;
}

void webhooks_replay(void *state, struct call *call)
{
    const Moment__V1__ReplayWebhookRequest *request =
        (const Moment__V1__ReplayWebhookRequest *)call_request(call);

    if (!recognition_check_id(call, "webhook_id", request->webhook_id, "webhook")) {
        return;
    }
    if (request->since_at < 0) {
        call_refuse(call, 422, "invalid-field", "since_at", "A time after 1970.");
    } else {
        start(state, call, load_replay, apply_replay, settle_replay);
    }
}

/* --- life --- */

int webhooks_open(struct recognition *recognition, struct webhooks **ret_webhooks)
{
    struct webhooks *webhooks = calloc(1, sizeof(*webhooks));
    int error;

    if (webhooks == NULL) {
        return -ENOMEM;
    }
    error = entities_new(&webhook_kind, ENTITIES_BYTES_MAX, &webhooks->entities);
    if (error == 0) {
        error = deliveries_open(recognition, &webhooks->deliveries);
    }
    if (error != 0) {
        webhooks_close(&webhooks);
        return error;
    }
    *ret_webhooks = webhooks;
    return 0;
}

void webhooks_forget(struct webhooks *webhooks)
{
    entities_forget(webhooks->entities);
}

void webhooks_drain(struct webhooks *webhooks)
{
    deliveries_drain(webhooks->deliveries);
}

void webhooks_close(struct webhooks **webhooks)
{
    if (*webhooks != NULL) {
        deliveries_close(&(*webhooks)->deliveries);
        entities_free(&(*webhooks)->entities);
    }
    free(*webhooks);
    *webhooks = NULL;
}
