/* coaching - see the header. */
#include "feedback/rules/coaching.h"

#include "feedback/rules/objection.h"

#include <stdio.h>
#include <string.h>

/* Does an action before it have the same id? */
static bool is_repeated(const struct coaching_content *content, size_t action)
{
    const char *action_id = content->actions[action].action_id;

    for (size_t i = 0; action_id[0] != '\0' && i < action; i++) {
        if (strcmp(content->actions[i].action_id, action_id) == 0) {
            return true;
        }
    }
    return false;
}

static int check_actions(const struct coaching_content *content, const char *prefix,
                         struct objection *objection)
{
    char field[OBJECTION_FIELD_SIZE];
    int error = 0;

    if (content->action_count > COACHING_ACTIONS_MAX) {
        (void)snprintf(field, sizeof(field), "%sactions", prefix);
        return objection_set(objection, field, "At most %d actions.", COACHING_ACTIONS_MAX);
    }
    for (size_t i = 0; error == 0 && i < content->action_count; i++) {
        (void)snprintf(field, sizeof(field), "%sactions[%zu].text", prefix, i);
        error =
            objection_length(objection, field, content->actions[i].text, 1, COACHING_ACTION_MAX);
        if (error == 0 && is_repeated(content, i)) {
            (void)snprintf(field, sizeof(field), "%sactions[%zu].action_id", prefix, i);
            error = objection_set(objection, field, "Two actions have this id.");
        }
        if (error == 0 && strlen(content->actions[i].action_id) > COACHING_ACTION_ID_MAX) {
            (void)snprintf(field, sizeof(field), "%sactions[%zu].action_id", prefix, i);
            error = objection_set(objection, field, "At most %d bytes.", COACHING_ACTION_ID_MAX);
        }
    }
    return error;
}

static int check_plan(const struct coaching_content *content, const char *prefix,
                      struct objection *objection)
{
    char field[OBJECTION_FIELD_SIZE];

    if (content->planned_at <= 0) {
        (void)snprintf(field, sizeof(field), "%splanned_at", prefix);
        return objection_set(objection, field, "Say when the session is.");
    }
    if (content->moment_count > COACHING_MOMENTS_MAX) {
        (void)snprintf(field, sizeof(field), "%smoment_ids", prefix);
        return objection_set(objection, field, "At most %d moments.", COACHING_MOMENTS_MAX);
    }
    if ((content->standard_id[0] == '\0') != (content->criterion_id[0] == '\0')) {
        (void)snprintf(field, sizeof(field), "%scriterion_id", prefix);
        return objection_set(objection, field,
                             "A criterion is named with its standard, or neither is.");
    }
    (void)snprintf(field, sizeof(field), "%stopic", prefix);
    return objection_length(objection, field, content->topic, 1, COACHING_TOPIC_MAX);
}

int coaching_check(const struct coaching_content *content, enum coaching_state state,
                   const char *field, struct objection *ret_objection)
{
    char path[OBJECTION_FIELD_SIZE];
    int error = check_plan(content, field, ret_objection);

    if (error != 0) {
        return error;
    }
    (void)snprintf(path, sizeof(path), "%sagreement", field);
    if (state == COACHING_PLANNED && (content->agreement[0] != '\0' || content->action_count > 0)) {
        return objection_set(ret_objection, path,
                             "What is agreed is said when the session was held.");
    }
    error = objection_length(ret_objection, path, content->agreement,
                             state == COACHING_PLANNED ? 0 : 1, COACHING_TEXT_MAX);
    return error != 0 ? error : check_actions(content, field, ret_objection);
}

bool coaching_is_open(enum coaching_state state)
{
    return state == COACHING_PLANNED || state == COACHING_HELD;
}

bool coaching_may_move(enum coaching_state from, int to)
{
    switch (to) {
    case COACHING_HELD:
        return from == COACHING_PLANNED;
    case COACHING_FOLLOWED_UP:
        return from == COACHING_HELD;
    case COACHING_CANCELLED:
        return coaching_is_open(from);
    default:
        return false;
    }
}

int coaching_check_move(int to, const struct coaching_content *content, const char *because,
                        struct objection *ret_objection)
{
    size_t because_min = to == COACHING_CANCELLED ? 1 : 0;
    size_t agreement_min = to == COACHING_HELD ? 1 : 0;
    int error = objection_length(ret_objection, "because", because, because_min, COACHING_TEXT_MAX);

    if (error == 0) {
        error = objection_length(ret_objection, "agreement", content->agreement, agreement_min,
                                 COACHING_TEXT_MAX);
    }
    return error != 0 ? error : check_actions(content, "", ret_objection);
}

int coaching_check_comment(const char *comment, struct objection *ret_objection)
{
    return objection_length(ret_objection, "comment", comment, 0, COACHING_TEXT_MAX);
}

bool coaching_agrees_otherwise(const struct coaching_content *before,
                               const struct coaching_content *after)
{
    if (strcmp(before->agreement, after->agreement) != 0 ||
        before->action_count != after->action_count) {
        return true;
    }
    for (size_t i = 0; i < before->action_count; i++) {
        if (strcmp(before->actions[i].text, after->actions[i].text) != 0 ||
            before->actions[i].due_at != after->actions[i].due_at) {
            return true;
        }
    }
    return false;
}
