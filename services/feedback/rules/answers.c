/* answers - see the header. */
#include "feedback/rules/answers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- one criterion --- */

/* -1: not a number that is written as it should be. STANDARD_SCALE_MAX has three digits. */
static int to_number(const char *answer)
{
    size_t length = strlen(answer);
    int number = 0;

    if (length == 0 || length > 3 || strspn(answer, "0123456789") != length ||
        (answer[0] == '0' && length > 1)) {
        return -1;
    }
    for (; *answer != '\0'; answer++) {
        number = 10 * number + (*answer - '0');
    }
    return number;
}

static const struct choice *find_choice(const struct criterion *criterion, const char *choice_id)
{
    for (size_t i = 0; i < criterion->choice_count; i++) {
        if (strcmp(criterion->choices[i].choice_id, choice_id) == 0) {
            return &criterion->choices[i];
        }
    }
    return NULL;
}

static bool is_on_scale(const struct criterion *criterion, const char *answer)
{
    int number;

    switch (criterion->scale) {
    case SCALE_YES_NO:
        return strcmp(answer, ANSWER_YES) == 0 || strcmp(answer, ANSWER_NO) == 0;
    case SCALE_CHOICE:
        return answer[0] != '\0' && find_choice(criterion, answer) != NULL;
    case SCALE_RANGE:
        number = to_number(answer);
        return number >= 0 && (uint32_t)number <= criterion->scale_max;
    case SCALE_UNKNOWN:
        break;
    }
    return false;
}

bool answer_is_possible(const struct criterion *criterion, const char *answer)
{
    bool is_measured = criterion->kind == CRITERION_MEASURED;

    if (strcmp(answer, ANSWER_NOT_APPLICABLE) == 0) {
        return is_measured || criterion->not_applicable_allowed;
    }
    if (is_measured) {
        return strcmp(answer, ANSWER_MET) == 0 || strcmp(answer, ANSWER_NOT_MET) == 0;
    }
    return is_on_scale(criterion, answer);
}

double answer_best(const struct criterion *criterion)
{
    double best = 0.0;

    if (criterion->kind == CRITERION_MEASURED || criterion->scale == SCALE_YES_NO) {
        return 1.0;
    }
    if (criterion->scale == SCALE_RANGE) {
        return criterion->scale_max;
    }
    for (size_t i = 0; i < criterion->choice_count; i++) {
        if (criterion->choices[i].points > best) {
            best = criterion->choices[i].points;
        }
    }
    return best;
}

double answer_points(const struct criterion *criterion, const char *answer)
{
    const struct choice *choice;

    if (criterion->kind == CRITERION_MEASURED) {
        return strcmp(answer, ANSWER_MET) == 0 ? 1.0 : 0.0;
    }
    if (criterion->scale == SCALE_RANGE) {
        return to_number(answer);
    }
    if (criterion->scale == SCALE_CHOICE) {
        choice = find_choice(criterion, answer);
        return choice != NULL ? choice->points : 0.0;
    }
    return strcmp(answer, ANSWER_YES) == 0 ? 1.0 : 0.0;
}

static bool is_brilliant(const struct criterion *criterion, const char *answer)
{
    const struct choice *choice;

    if (criterion->scale == SCALE_RANGE) {
        return criterion->has_wow_at && to_number(answer) >= (int)criterion->wow_at;
    }
    choice = criterion->scale == SCALE_CHOICE ? find_choice(criterion, answer) : NULL;
    return choice != NULL && choice->wow;
}

static bool is_unacceptable(const struct criterion *criterion, const char *answer)
{
    const struct choice *choice;

    if (criterion->scale == SCALE_RANGE) {
        return criterion->has_unacceptable_at &&
               to_number(answer) <= (int)criterion->unacceptable_at;
    }
    choice = criterion->scale == SCALE_CHOICE ? find_choice(criterion, answer) : NULL;
    return choice != NULL ? choice->unacceptable
                          : criterion->unacceptable && strcmp(answer, ANSWER_NO) == 0;
}

static bool needs_comment(const struct criterion *criterion, const struct judged *judged)
{
    const struct choice *choice;

    if (criterion->scale == SCALE_CHOICE) {
        choice = find_choice(criterion, judged->answer);
        return choice != NULL && choice->comment_required;
    }
    return criterion->has_comment_below && judged->applies &&
           100.0 * judged->points < criterion->comment_below * judged->points_possible;
}

/* --- judging --- */

static const struct answer *find_answer(const struct answer *answers, size_t count,
                                        const char *criterion_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(answers[i].criterion_id, criterion_id) == 0) {
            return &answers[i];
        }
    }
    return NULL;
}

static size_t find_criterion(const struct standard *standard, size_t count,
                             const char *criterion_id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(standard->criteria[i].criterion_id, criterion_id) == 0) {
            return i;
        }
    }
    return count;
}

static bool is_asked(const struct standard *standard, size_t index,
                     const struct judgement *judgement)
{
    const struct criterion *criterion = &standard->criteria[index];
    size_t earlier;

    if (criterion->condition_id[0] == '\0') {
        return true;
    }
    earlier = find_criterion(standard, index, criterion->condition_id);
    for (size_t i = 0; earlier < index && i < criterion->condition_answer_count; i++) {
        if (strcmp(criterion->condition_answers[i], judgement->criteria[earlier].answer) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_measured(const struct criterion *criterion, const struct measurement *measured,
                           struct judged *judged)
{
    judged->applies = measured != NULL && measured->applies;
    if (!judged->applies) {
        judged->answer = ANSWER_NOT_APPLICABLE;
        return;
    }
    judged->answer = measured->met ? ANSWER_MET : ANSWER_NOT_MET;
    judged->has_actual = true;
    judged->actual = measured->actual;
    judged->wow = measured->wow;
    judged->unacceptable = criterion->unacceptable && !measured->met;
}

static void judge_observed(const struct criterion *criterion, const struct answer *given,
                           struct judged *judged)
{
    if (given == NULL) {
        return;
    }
    judged->comment = given->comment;
    if (!answer_is_possible(criterion, given->answer)) {
        return;
    }
    judged->answer = given->answer;
    judged->applies = strcmp(given->answer, ANSWER_NOT_APPLICABLE) != 0;
    if (judged->applies) {
        judged->wow = is_brilliant(criterion, given->answer);
        judged->unacceptable = is_unacceptable(criterion, given->answer);
    }
}

static void judge(const struct standard *standard, size_t index, const struct measurement *measured,
                  const struct answer *given, struct judgement *judgement)
{
    const struct criterion *criterion = &standard->criteria[index];
    struct judged *judged = &judgement->criteria[index];

    *judged =
        (struct judged){.answer = "", .comment = "", .points_possible = answer_best(criterion)};
    judged->is_asked = is_asked(standard, index, judgement);
    if (!judged->is_asked) {
        return;
    }
    if (criterion->kind == CRITERION_MEASURED) {
        judge_measured(criterion, measured, judged);
    } else {
        judge_observed(criterion, given, judged);
    }
    if (judged->applies) {
        judged->points = answer_points(criterion, judged->answer);
        judged->met = judged->points >= judged->points_possible;
        judged->fatal_failed = criterion->fatal != FATAL_NONE && !judged->met;
    }
}

/* The first criterion of the same section stands for it. */
static uint32_t section_of(const struct standard *standard, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(standard->criteria[i].section, standard->criteria[index].section) == 0) {
            return (uint32_t)i;
        }
    }
    return (uint32_t)index;
}

static struct score_item to_item(const struct standard *standard, size_t index,
                                 const struct judged *judged)
{
    const struct criterion *criterion = &standard->criteria[index];

    return (struct score_item){
        .weight = criterion->weight,
        .earned = judged->applies ? judged->points / judged->points_possible : 0.0,
        .possible = 1.0,
        .section = section_of(standard, index),
        .fatal = criterion->fatal,
        .critical = criterion->critical,
        .wow = judged->wow,
        .not_applicable = !judged->applies,
    };
}

void answers_judge(const struct standard *standard, const struct measurement *measured,
                   const struct answer *answers, size_t count, struct judgement *ret_judgement)
{
    struct score_item items[STANDARD_CRITERIA_MAX];

    assert(standard->criterion_count <= STANDARD_CRITERIA_MAX);
    ret_judgement->count = standard->criterion_count;
    for (size_t i = 0; i < standard->criterion_count; i++) {
        judge(standard, i, measured != NULL ? &measured[i] : NULL,
              find_answer(answers, count, standard->criteria[i].criterion_id), ret_judgement);
        items[i] = to_item(standard, i, &ret_judgement->criteria[i]);
    }
    score(items, standard->criterion_count, &ret_judgement->score);
}

/* --- objections --- */

static void object(struct objections *objections, size_t index, const char *member,
                   const char *detail)
{
    char field[64];

    (void)snprintf(field, sizeof(field), "answers[%zu].%s", index, member);
    objections_add(objections, field, "%s", detail);
}

static void check_answer(const struct criterion *criterion, const struct answer *given,
                         size_t index, struct objections *objections)
{
    if (criterion->kind != CRITERION_OBSERVED) {
        object(objections, index, "criterion_id", "This criterion is measured; nobody answers it.");
    } else if (strcmp(given->answer, ANSWER_NOT_APPLICABLE) == 0 &&
               !criterion->not_applicable_allowed) {
        object(objections, index, "answer", "\"Not applicable\" is no answer here.");
    } else if (given->answer[0] != '\0' && !answer_is_possible(criterion, given->answer)) {
        object(objections, index, "answer", "This is none of the criterion's answers.");
    }
    if (strlen(given->comment) > ANSWER_COMMENT_BYTES_MAX) {
        object(objections, index, "comment", "At most 4000 bytes.");
    }
}

void answers_check(const struct standard *standard, const struct answer *answers, size_t count,
                   struct objections *objections)
{
    for (size_t i = 0; i < count; i++) {
        size_t criterion =
            find_criterion(standard, standard->criterion_count, answers[i].criterion_id);

        if (criterion == standard->criterion_count) {
            object(objections, i, "criterion_id", "The standard has no such criterion.");
            continue;
        }
        if (find_answer(answers, i, answers[i].criterion_id) != NULL) {
            object(objections, i, "criterion_id", "This criterion was answered already.");
        }
        check_answer(&standard->criteria[criterion], &answers[i], i, objections);
    }
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

void answers_missing(const struct standard *standard, const struct judgement *judgement,
                     struct objections *objections)
{
    for (size_t i = 0; i < judgement->count; i++) {
        const struct criterion *criterion = &standard->criteria[i];
        const struct judged *judged = &judgement->criteria[i];
        char field[sizeof(objections->items[0].field)];

        if (criterion->kind != CRITERION_OBSERVED || !judged->is_asked) {
            continue;
        }
        if (judged->answer[0] == '\0') {
            (void)snprintf(field, sizeof(field), "answers.%.100s.answer", criterion->criterion_id);
            objections_add(objections, field, "\"%.150s\" has no answer yet.", criterion->title);
        } else if (needs_comment(criterion, judged) && is_blank(judged->comment)) {
            (void)snprintf(field, sizeof(field), "answers.%.100s.comment", criterion->criterion_id);
            objections_add(objections, field, "This answer to \"%.150s\" needs a comment.",
                           criterion->title);
        }
    }
}
