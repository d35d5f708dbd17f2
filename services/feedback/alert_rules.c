/* alert_rules - the rules of alerts: which there are, edited and removed.
 *
 * A rule that was written counts at once: memory changes in the same apply, and the alerts with it.
 * A removed rule stays in its table and in memory for the alerts that name it. */
#include "feedback/feedback.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As many as anybody can keep apart; each is asked about every moment in progress. */
#define RULES_MAX 500

struct held_rule *rules_find(const struct feedback *feedback, const char *rule_id)
{
    for (size_t i = 0; i < feedback->rule_count; i++) {
        if (strcmp(feedback->rules[i].message->rule_id, rule_id) == 0) {
            return &feedback->rules[i];
        }
    }
    return NULL;
}

bool rules_is_on(const struct held_rule *rule)
{
    return rule->message->enabled && !rule->message->removed;
}

bool rules_cover(const struct feedback *feedback, const struct held_rule *rule, const char *site,
                 const char *queue, const char *team)
{
    const struct alert_rule *plain = &rule->plain;

    if (team[0] != '\0' || !alert_is_before_team(plain)) {
        return alert_covers(plain, site, queue, team);
    }
    for (size_t i = 0; i < plain->team_count; i++) {
        const Moment__V1__Team *known = directory_team(feedback->directory, plain->teams[i]);

        if (known != NULL && strcmp(known->site_id, site) == 0) {
            return alert_covers(plain, site, queue, plain->teams[i]);
        }
    }
    return alert_covers(plain, site, queue, "");
}

/* --- who may, and what --- */

static const char *name_at(char **names, size_t count, size_t i)
{
    return count == 0 ? "" : names[i];
}

bool rules_may_write(struct call *call, const Moment__V1__AlertRule *rule, struct problem *problem)
{
    size_t sites = rule->n_sites == 0 ? 1 : rule->n_sites;
    size_t teams = rule->n_teams == 0 ? 1 : rule->n_teams;

    for (size_t i = 0; i < sites; i++) {
        for (size_t j = 0; j < teams; j++) {
            const struct place place = {.site = name_at(rule->sites, rule->n_sites, i),
                                        .team = name_at(rule->teams, rule->n_teams, j)};

            if (!call_allows(call, &place)) {
                problem_set(problem, 403, "forbidden", "rule",
                            "This rule reaches beyond your sites or teams: name those that it is "
                            "for, all of them yours.");
                return false;
            }
        }
    }
    return true;
}

bool rules_read(const Moment__V1__AlertRule *request, const char *rule_id, struct problem *problem,
                struct held_rule *ret_rule)
{
    struct objection objection;
    Moment__V1__AlertRule *message;
    ProtobufCMessage *copy;
    struct alert_rule plain;

    if (request == NULL || request->base.n_unknown_fields > 0) {
        problem_set(problem, 422, "invalid-field", "rule",
                    request == NULL ? "There is no rule here."
                                    : "It has members that this version does not know.");
        return false;
    }
    if (request->rule_id[0] != '\0' && rule_id[0] != '\0' &&
        strcmp(request->rule_id, rule_id) != 0) {
        problem_set(problem, 422, "invalid-field", "rule.rule_id", "It differs from rule_id.");
        return false;
    }
    feedback_need(codec_copy(&request->base, &copy));
    message = (Moment__V1__AlertRule *)copy;
    if (rule_id[0] != '\0') {
        feedback_need(codec_set(&message->rule_id, rule_id));
    }
    codec_rule_plain(message, &plain);
    if (!alert_is_sound(&plain, &objection)) {
        problem_set(problem, 422, "invalid-field", objection.field, "%s", objection.detail);
        codec_free(copy);
        return false;
    }
    feedback_need(codec_rule(&message, ret_rule));
    return true;
}

static int check_revision(const struct held_rule *before, uint32_t if_revision,
                          struct problem *problem)
{
    if (before != NULL && before->message->removed) {
        problem_set(problem, 409, "alert-rule-removed", "rule_id",
                    "This rule was removed and its alerts still name it: choose another rule_id.");
        return -EEXIST;
    }
    return call_check_revision(problem, if_revision,
                               before != NULL ? before->message->revision : 0);
}

/* --- SaveAlertRule, RemoveAlertRule --- */

static struct held_rule *add_place(struct feedback *feedback)
{
    struct held_rule *rules = realloc(feedback->rules, (feedback->rule_count + 1) * sizeof(*rules));

    feedback_need(rules != NULL ? 0 : -ENOMEM);
    feedback->rules = rules;
    rules[feedback->rule_count] = (struct held_rule){0};
    feedback_need(floor_add_alarm(&feedback->floor));
    return &rules[feedback->rule_count++];
}

/* Table, record, memory, and what follows for alerts that are open or now would be. */
static void put_rule(struct feedback *feedback, struct txn *txn, const struct caller *caller,
                     struct held_rule *rule)
{
    Moment__V1__AlertRule *message = rule->message;
    struct held_rule *place = rules_find(feedback, message->rule_id);
    Moment__V1__AlertRuleChanged changed;

    message->revision = place != NULL ? place->message->revision + 1 : 1;
    message->edited_at = txn_now_us(txn);
    feedback_need(codec_set(&message->edited_by, caller->id));
    feedback_need(codec_set(&message->edited_by_name, caller->name));
    codec_rule_plain(message, &rule->plain);
    store_save_rule(txn, message);
    moment__v1__alert_rule_changed__init(&changed);
    changed.rule = message;
    feedback_emit(feedback, txn, service_site(feedback->service), message->rule_id,
                  "AlertRuleChanged", &changed.base);
    if (place == NULL) {
        place = add_place(feedback);
    } else {
        codec_rule_done(place);
    }
    *place = *rule;
    place->is_changed = true;
    feedback->has_new_rules = true;
    watch_changed_rules(feedback, txn);
}

static int check_save(struct command *command, const Moment__V1__SaveAlertRuleRequest *request,
                      struct held_rule *rule, struct problem *problem)
{
    const struct feedback *feedback = command->state;
    const struct held_rule *before = rules_find(feedback, rule->message->rule_id);

    if (!rules_may_write(command->call, rule->message, problem) ||
        (before != NULL && !rules_may_write(command->call, before->message, problem))) {
        return -EPERM;
    }
    if (before != NULL && before->plain.subject != rule->plain.subject) {
        problem_set(problem, 422, "invalid-field", "rule.subject",
                    "A rule keeps its subject, its alerts are about that: make another rule.");
        return -EINVAL;
    }
    if (before == NULL && feedback->rule_count >= RULES_MAX) {
        problem_set(problem, 409, "too-many-rules", "rule_id",
                    "There are 500 rules, removed ones counted: change one of them.");
        return -ENOSPC;
    }
    return check_revision(before, request->if_revision, problem);
}

static int apply_save(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    const Moment__V1__SaveAlertRuleRequest *request =
        (const Moment__V1__SaveAlertRuleRequest *)call_request(command->call);
    Moment__V1__SaveAlertRuleResponse response;
    struct held_rule rule;
    int error;

    if (request->rule_id[0] == '\0') {
        problem_set(problem, 422, "invalid-field", "rule_id", "1 to 63 of a-z, 0-9 and -.");
        return -EINVAL;
    }
    if (!rules_read(request->rule, request->rule_id, problem, &rule)) {
        return -EINVAL;
    }
    error = check_save(command, request, &rule, problem);
    if (error != 0) {
        codec_rule_done(&rule);
        return error;
    }
    rule.message->removed = false;
    put_rule(command->state, txn, call_caller(command->call), &rule);
    moment__v1__save_alert_rule_response__init(&response);
    response.rule = rules_find(command->state, request->rule_id)->message;
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

static int apply_remove(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                        struct problem *problem)
{
    const Moment__V1__RemoveAlertRuleRequest *request =
        (const Moment__V1__RemoveAlertRuleRequest *)call_request(command->call);
    const struct held_rule *before = rules_find(command->state, request->rule_id);
    Moment__V1__RemoveAlertRuleResponse response;
    Moment__V1__AlertRule *message;
    ProtobufCMessage *copy;
    struct held_rule rule;
    int error;

    if (before == NULL || before->message->removed) {
        return call_not_found(problem, "rule_id", "alert rule");
    }
    if (!rules_may_write(command->call, before->message, problem)) {
        return -EPERM;
    }
    error = check_revision(before, request->if_revision, problem);
    if (error != 0) {
        return error;
    }
    feedback_need(codec_copy(&before->message->base, &copy));
    message = (Moment__V1__AlertRule *)copy;
    message->removed = true;
    feedback_need(codec_rule(&message, &rule));
    put_rule(command->state, txn, call_caller(command->call), &rule);
    moment__v1__remove_alert_rule_response__init(&response);
    feedback_need(codec_copy(&response.base, ret_response));
    return 0;
}

static void load_rules(struct command *command, struct txn *txn)
{
    feedback_load_all(command->state, txn);
}

static void start_edit(struct feedback *feedback, struct call *call, command_apply_fn *apply)
{
    command_start(service_bus(feedback->service),
                  command_new(sizeof(struct command), call, feedback, load_rules, apply));
}

void feedback_save_alert_rule(void *state, struct call *call)
{
    start_edit(state, call, apply_save);
}

void feedback_remove_alert_rule(void *state, struct call *call)
{
    start_edit(state, call, apply_remove);
}

/* --- ListAlertRules --- */

static void answer_rules(void *arg, int status, const struct db_rows *rows,
                         const struct db_error *error unused_arg)
{
    struct call *call = arg;
    Moment__V1__ListAlertRulesResponse response;
    Moment__V1__AlertRule **rules;

    if (status != 0) {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
        return;
    }
    rules = calloc(db_count(rows) + 1, sizeof(Moment__V1__AlertRule *));
    feedback_need(rules != NULL ? 0 : -ENOMEM);
    moment__v1__list_alert_rules_response__init(&response);
    response.rules = rules;
    for (size_t i = 0; i < db_count(rows); i++) {
        struct held_rule rule;

        if (store_read_rule(rows, i, &rule) == 0) {
            rules[response.n_rules++] = rule.message;
        } else {
            log_error("alert_rule_unreadable", "row=%zu", i);
        }
    }
    call_reply(call, &response.base);
    for (size_t i = 0; i < response.n_rules; i++) {
        codec_free(&rules[i]->base);
    }
    free(rules);
}

void feedback_list_alert_rules(void *state, struct call *call)
{
    struct feedback *feedback = state;
    int error = store_list_rules(service_reader(feedback->service), answer_rules, call);

    if (error != 0) {
        answer_rules(call, error, NULL, NULL);
    }
}
