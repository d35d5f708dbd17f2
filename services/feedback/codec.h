/* codec - moments, standards, evaluations, alerts and rules between protobuf and plain structs.
 *
 * What comes in is checked here once. Plain structs borrow their strings from the message that they
 * were made of. Allocation failure is -ENOMEM; loop thread. */
#ifndef MOMENT_FEEDBACK_CODEC_H
#define MOMENT_FEEDBACK_CODEC_H

#include "base/id.h"
#include "feedback/rules/alert.h"
#include "feedback/rules/answers.h"
#include "feedback/rules/measure.h"
#include "feedback/rules/moment.h"
#include "feedback/rules/score.h"
#include "feedback/rules/standard.h"
#include "io/bus.h"
#include "moment/v1/feedback.pb-c.h"
#include "moment/v1/ingest.pb-c.h"

/* A moment's snapshot with its plain form. */
struct snapshot {
    Moment__V1__Moment *message; /* owned; null: none */
    struct moment plain;
    struct visit *visits; /* owned */
};

/* Consumes *message. -EBADMSG: no moment, or a moment_id that is no UUID. */
must_check int codec_snapshot(Moment__V1__Moment **message, int64_t changed_at,
                              struct snapshot *ret_snapshot);
void codec_snapshot_done(struct snapshot *snapshot);
/* The moment came out: it ended, or its outcome is known. */
bool codec_is_ended(const struct snapshot *snapshot);
bool codec_is_merged(const struct snapshot *snapshot);

struct held_standard {
    Moment__V1__Standard *message; /* owned */
    struct standard plain;
    struct criterion *criteria; /* owned, with their choices */
    int *numbers;               /* owned: channels and directions of the scope */
};

/* Consumes *message. */
must_check int codec_standard(Moment__V1__Standard **message, struct held_standard *ret_standard);
void codec_standard_done(struct held_standard *standard);
/* Fields that this version doesn't know would be dropped without a word: refused instead. */
bool codec_standard_has_unknown(const Moment__V1__Standard *message, char *ret_field, size_t size);

struct held_rule {
    Moment__V1__AlertRule *message; /* owned */
    struct alert_rule plain;
    bool is_changed; /* and what follows from that is still to be done */
};

/* Borrows from message, whatever that says. */
void codec_rule_plain(const Moment__V1__AlertRule *message, struct alert_rule *ret_rule);

/* Consumes *message; -EINVAL for a subject that nobody knows. */
must_check int codec_rule(Moment__V1__AlertRule **message, struct held_rule *ret_rule);
void codec_rule_done(struct held_rule *rule);

/* Who evaluates, and what they said. */
struct said {
    const char *evaluator;
    /* Went through answers_check, at most STANDARD_CRITERIA_MAX; null: as in last. */
    const struct answer *answers;
    size_t answer_count;
    /* The revision before, on the same version: its state, comment and disputes go on, and what was
     * decided stays. Decided disputes are in the order of their decisions. Null: none. */
    const Moment__V1__Evaluation *last;
};

/* Derived from who evaluated which moment on which version. */
void codec_evaluation_id(const char *moment_id, const struct held_standard *standard,
                         const char *evaluator, char text[ID_TEXT_SIZE]);
/* A new message with all that an evaluation says but revision and evaluated_at and, without last,
 * its state and what comes with that. */
must_check int codec_evaluation(const struct snapshot *snapshot,
                                const struct held_standard *standard, const struct said *said,
                                Moment__V1__Evaluation **ret_message);
/* answers_missing of an evaluation on that standard. */
void codec_missing(const struct standard *standard, const Moment__V1__Evaluation *message,
                   struct objections *objections);
/* As a response carries them; borrowed from the objections and the items. */
void codec_objections(const struct objections *objections,
                      Moment__V1__Objection items[OBJECTIONS_MAX],
                      Moment__V1__Objection *ret_pointers[OBJECTIONS_MAX]);
/* What people answered; borrowed from the messages. */
void codec_answers(Moment__V1__Answer *const *messages, size_t count, struct answer *ret_answers);
/* The answers and what the moment itself says, judged; everything is borrowed. */
void codec_judge(const struct moment *moment, const struct standard *standard,
                 const struct answer *answers, size_t count, struct judgement *ret_judgement);
/* What was judged, as an array of results of its own, one for each criterion. -ENOMEM. */
must_check int codec_results(const struct standard *standard, const struct judgement *judgement,
                             Moment__V1__CriterionResult ***ret_results);
/* Do both say the same but for revision, evaluated_at and moment_revision? */
bool codec_is_same_evaluation(const Moment__V1__Evaluation *a, const Moment__V1__Evaluation *b);

/* A deep copy. */
must_check int codec_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy);
/* Do both say the same, to the bit? false too when there is no memory to tell. */
bool codec_is_same(const ProtobufCMessage *a, const ProtobufCMessage *b);
/* Replaces a string of a message that was unpacked. */
must_check int codec_set(char **text, const char *value);
void codec_free(ProtobufCMessage *message); /* accepts null */

#endif
