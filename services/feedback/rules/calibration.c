/* calibration - see the header. */
#include "feedback/rules/calibration.h"

#include "base/clock.h"
#include "base/fold.h"
#include "feedback/rules/answers.h"
#include "feedback/rules/objection.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAME_SCORE 1e-9
#define DAY_US (INT64_C(86400) * US_PER_S)

/* --- a new session --- */

static int object_person(struct objection *objection, size_t i, const char *member,
                         const char *detail)
{
    char field[64];

    (void)snprintf(field, sizeof(field), "calibration.participants[%zu].%s", i, member);
    return objection_set(objection, field, "%s", detail);
}

static bool is_name(const char *text)
{
    return fold_characters(text) > 0 && strlen(text) <= CALIBRATION_NAME_BYTES_MAX;
}

static int check_person(const struct calibration_wish *wish, size_t i, struct objection *objection)
{
    if (!is_name(wish->people[i].user_id)) {
        return object_person(objection, i, "user_id", "The id of a user, at most 200 bytes.");
    }
    if (!is_name(wish->people[i].name)) {
        return object_person(objection, i, "name", "A name, at most 200 bytes.");
    }
    for (size_t j = 0; j < i; j++) {
        if (strcmp(wish->people[i].user_id, wish->people[j].user_id) == 0) {
            return object_person(objection, i, "user_id", "Is here twice.");
        }
        if (wish->people[i].is_expert && wish->people[j].is_expert) {
            return object_person(objection, i, "expert", "One expert is enough.");
        }
    }
    return 0;
}

static int check_people(const struct calibration_wish *wish, struct objection *objection)
{
    if (wish->person_count < CALIBRATION_PEOPLE_MIN ||
        wish->person_count > CALIBRATION_PEOPLE_MAX) {
        return objection_set(objection, "calibration.participants", "%d to %d people.",
                             CALIBRATION_PEOPLE_MIN, CALIBRATION_PEOPLE_MAX);
    }
    for (size_t i = 0; i < wish->person_count; i++) {
        int error = check_person(wish, i, objection);

        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int check_moments(const struct calibration_wish *wish, struct objection *objection)
{
    char field[64];

    if (wish->moment_count < 1 || wish->moment_count > CALIBRATION_MOMENTS_MAX) {
        return objection_set(objection, "calibration.moment_ids", "1 to %d moments.",
                             CALIBRATION_MOMENTS_MAX);
    }
    for (size_t i = 0; i < wish->moment_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(wish->moment_ids[i], wish->moment_ids[j]) == 0) {
                (void)snprintf(field, sizeof(field), "calibration.moment_ids[%zu]", i);
                return objection_set(objection, field, "Is here twice.");
            }
        }
    }
    return 0;
}

int calibration_check(const struct calibration_wish *wish, int64_t now,
                      struct objection *ret_objection)
{
    int error =
        objection_length(ret_objection, "calibration.title", wish->title, 1, CALIBRATION_TITLE_MAX);

    if (error == 0) {
        error = check_people(wish, ret_objection);
    }
    if (error == 0) {
        error = check_moments(wish, ret_objection);
    }
    if (error != 0) {
        return error;
    }
    if (wish->deadline_at <= now || wish->deadline_at - now > CALIBRATION_DAYS_MAX * DAY_US) {
        return objection_set(ret_objection, "calibration.deadline_at",
                             "From now on, within %d days.", CALIBRATION_DAYS_MAX);
    }
    return 0;
}

/* --- agreement --- */

/* The two entries as a pair, the one named earlier first; false: they are none. */
static bool pair_of(const struct calibration_entry *a, const struct calibration_entry *b,
                    const struct calibration_entry **ret_first,
                    const struct calibration_entry **ret_second)
{
    *ret_first = a->person < b->person ? a : b;
    *ret_second = a->person < b->person ? b : a;
    return a->moment == b->moment && a->person != b->person;
}

/* 1 yes or met, 0 no or not met, -1 neither. */
static int side_of(const char *answer)
{
    if (strcmp(answer, ANSWER_YES) == 0 || strcmp(answer, ANSWER_MET) == 0) {
        return 1;
    }
    return strcmp(answer, ANSWER_NO) == 0 || strcmp(answer, ANSWER_NOT_MET) == 0 ? 0 : -1;
}

struct table {
    double cells[2][2]; /* [first][second] */
};

static bool kappa_of(const struct table *table, double *ret_kappa)
{
    const double n =
        table->cells[0][0] + table->cells[0][1] + table->cells[1][0] + table->cells[1][1];
    const double first = table->cells[1][0] + table->cells[1][1];
    const double second = table->cells[0][1] + table->cells[1][1];
    /* In counts, where nothing is rounded: 1 - pe is 0 only if it really is. */
    const double expected = first * second + (n - first) * (n - second);

    if (n * n - expected < 0.5) {
        return false;
    }
    *ret_kappa = ((table->cells[0][0] + table->cells[1][1]) * n - expected) / (n * n - expected);
    return true;
}

static void count_pair(const char *first, const char *second, struct table *table,
                       struct calibration_agreement *agreement)
{
    int a = side_of(first), b = side_of(second);

    if (first[0] == '\0' || second[0] == '\0') {
        return;
    }
    agreement->pairs++;
    agreement->agreed += strcmp(first, second) == 0;
    if (a >= 0 && b >= 0) {
        table->cells[a][b] += 1.0;
    }
}

void calibration_agree(const struct calibration_entry *entries, size_t count, size_t criterion,
                       bool is_two_valued, struct calibration_agreement *ret_agreement)
{
    const struct calibration_entry *first, *second;
    struct table table = {0};

    *ret_agreement = (struct calibration_agreement){0};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (pair_of(&entries[i], &entries[j], &first, &second)) {
                count_pair(first->answers[criterion], second->answers[criterion], &table,
                           ret_agreement);
            }
        }
    }
    ret_agreement->has_kappa = is_two_valued && kappa_of(&table, &ret_agreement->kappa);
}

struct calibration_closeness calibration_closeness(const struct calibration_entry *entries,
                                                   size_t count)
{
    struct calibration_closeness closeness = {0};
    const struct calibration_entry *first, *second;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (pair_of(&entries[i], &entries[j], &first, &second) && first->is_known &&
                second->is_known) {
                closeness.pairs++;
                closeness.within +=
                    fabs(first->score - second->score) <= CALIBRATION_POINTS + SAME_SCORE;
            }
        }
    }
    return closeness;
}
