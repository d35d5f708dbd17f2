#include "reporting/acts.h"

#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/recognition.pb-c.h"
#include "moment/v1/reporting.pb-c.h"
#include "reporting/store_flame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BY_ITSELF "moment" /* evaluator of what no person evaluated */

/* Ids come from the service that owns them; one that is none would fail the whole batch. */
static bool are_ids(const char *const *texts, size_t count)
{
    struct id id;

    for (size_t i = 0; i < count; i++) {
        if (texts[i][0] != '\0' && id_parse(texts[i], &id) < 0)
            return false;
    }
    return true;
}

struct deed {
    Moment__V1__Practice practice;
    const char *user_id;
    const char *item_id;
    const char *moment_id;
    int64_t at;
};

/* Of practice, user and item: however often it is told, it counts once. */
static struct id act_id(const struct deed *deed)
{
    char practice[12];
    const char *parts[] = {practice, deed->user_id, deed->item_id};

    (void)snprintf(practice, sizeof(practice), "%d", (int)deed->practice);
    return id_of(parts, countof(parts));
}

static int count_deed(struct txn *txn, const struct deed *deed)
{
    Moment__V1__Act act;
    char text[ID_TEXT_SIZE];
    struct id id = act_id(deed);

    moment__v1__act__init(&act);
    act.act_id = (char *)(uintptr_t)id_print(&id, text);
    act.practice = deed->practice;
    act.user_id = (char *)(uintptr_t)deed->user_id;
    act.at = deed->at;
    act.item_id = (char *)(uintptr_t)deed->item_id;
    act.moment_id = (char *)(uintptr_t)deed->moment_id;
    return store_put_act(txn, &id, &act);
}

static void discount_deed(struct txn *txn, const struct deed *deed)
{
    struct id id = act_id(deed);

    store_drop_act(txn, &id);
}

static int put_note(struct txn *txn, const Moment__V1__Note *note)
{
    const char *const ids[] = {note->note_id, note->moment_id};
    struct deed deed = {MOMENT__V1__PRACTICE__PRACTICE_NOTE, note->giver, note->note_id,
                        note->moment_id, note->given_at};
    int rc;

    if (note->note_id[0] == '\0' || !are_ids(ids, countof(ids)))
        return -EBADMSG;
    store_put_note(txn, note);
    rc = count_deed(txn, &deed);
    if (rc == 0 && note->kind == MOMENT__V1__NOTE_KIND__NOTE_KIND_PRAISE) {
        deed.practice = MOMENT__V1__PRACTICE__PRACTICE_PRAISE;
        rc = count_deed(txn, &deed);
    }
    return rc;
}

static int put_coaching(struct txn *txn, const Moment__V1__CoachingSession *session)
{
    const struct deed deed = {MOMENT__V1__PRACTICE__PRACTICE_COACHING, session->coach,
                              session->session_id, "", session->held_at};

    return session->held_at != 0 ? count_deed(txn, &deed) : 0;
}

static int put_post(struct txn *txn, const Moment__V1__Post *post)
{
    struct deed deed = {MOMENT__V1__PRACTICE__PRACTICE_JOURNAL, post->author, post->post_id,
                        post->moment_id, post->posted_at};

    if (post->kind == MOMENT__V1__POST_KIND__POST_KIND_CELEBRATION)
        deed.practice = MOMENT__V1__PRACTICE__PRACTICE_CELEBRATION;
    else if (post->kind != MOMENT__V1__POST_KIND__POST_KIND_JOURNAL)
        return 0;
    if (!post->withdrawn)
        return count_deed(txn, &deed);
    discount_deed(txn, &deed);
    return 0;
}

static int put_fatals(struct txn *txn, const Moment__V1__Evaluation *evaluation)
{
    const char *const ids[] = {evaluation->evaluation_id, evaluation->moment_id};

    if (!are_ids(ids, countof(ids)))
        return -EBADMSG;
    if (evaluation->revision > 1)
        store_drop_fatals(txn, evaluation->evaluation_id);
    for (size_t i = 0; i < evaluation->n_results && !evaluation->withdrawn; i++) {
        if (evaluation->results[i]->fatal_failed)
            store_put_fatal(txn, evaluation, evaluation->results[i]);
    }
    return 0;
}

static int put_evaluation(struct txn *txn, const Moment__V1__Evaluation *evaluation)
{
    const struct deed deed = {MOMENT__V1__PRACTICE__PRACTICE_EVALUATION, evaluation->evaluator,
                              evaluation->evaluation_id, evaluation->moment_id,
                              evaluation->released_at};
    int rc = put_fatals(txn, evaluation);

    if (rc < 0 || strcmp(evaluation->evaluator, BY_ITSELF) == 0 || evaluation->released_at == 0)
        return rc;
    return count_deed(txn, &deed);
}

static int put_calibration(struct txn *txn, const Moment__V1__Calibration *calibration)
{
    int rc = 0;

    if (calibration->state != MOMENT__V1__CALIBRATION_STATE__CALIBRATION_STATE_CLOSED)
        return 0;
    for (size_t i = 0; rc == 0 && i < calibration->n_participants; i++) {
        const Moment__V1__CalibrationParticipant *one = calibration->participants[i];
        const struct deed deed = {MOMENT__V1__PRACTICE__PRACTICE_CALIBRATION, one->user_id,
                                  calibration->calibration_id, "", calibration->closed_at};

        if (one->submitted > 0)
            rc = count_deed(txn, &deed);
    }
    return rc;
}

int acts_put(struct txn *txn, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_NOTE:
        return put_note(txn, (const void *)fact->subject);
    case FACT_COACHING:
        return put_coaching(txn, (const void *)fact->subject);
    case FACT_POST:
        return put_post(txn, (const void *)fact->subject);
    case FACT_EVALUATION:
        return put_evaluation(txn, (const void *)fact->subject);
    case FACT_CALIBRATION:
        return put_calibration(txn, (const void *)fact->subject);
    case FACT_RHYTHM:
        return store_put_rhythm(txn, (const void *)fact->subject);
    default:
        return 0;
    }
}
