/* wall - see the header. What may be done is rules/post.c's to say. */
#include "recognition/wall.h"

#include "io/json.h"
#include "recognition/rules/post.h"
#include "recognition/store_wall.h"
#include "recognition/webhooks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POSTS_BYTES_MAX (16 * 1024 * 1024)
#define PLACE_BYTES_MAX 128

_Static_assert((int)POST_PRAISE == (int)MOMENT__V1__POST_KIND__POST_KIND_PRAISE, "kinds");
_Static_assert((int)POST_STORY == (int)MOMENT__V1__POST_KIND__POST_KIND_STORY, "kinds");
_Static_assert((int)POST_JOURNAL == (int)MOMENT__V1__POST_KIND__POST_KIND_JOURNAL, "kinds");
_Static_assert((int)POST_CELEBRATION == (int)MOMENT__V1__POST_KIND__POST_KIND_CELEBRATION, "kinds");
_Static_assert((int)REACTION_KIND_MAX == (int)MOMENT__V1__REACTION_KIND__REACTION_KIND_INSPIRED,
               "kinds");

struct metric recognition_posts_total = {
    .name = "moment_posts_total",
    .kind = METRIC_COUNTER,
    .help = "Posts on the wall, by kind.",
    .label = "kind",
};

struct wall {
    struct entities *posts; /* owned */
    size_t pinned;          /* with what the transaction under way did */
    bool knows_pinned;
};

struct wall_command;

/* A change of one post. */
struct verb {
    const ProtobufCMessageDescriptor *response;
    command_load_fn *load; /* more than the post; may be null */
    /* Changes the copy: 1; finds it so already: 0; refuses, with problem filled: negative. */
    int (*change)(struct wall_command *self, struct txn *txn, Moment__V1__Post *post,
                  struct problem *problem);
};

struct wall_command {
    struct command command; /* first */
    const struct verb *verb;
    char made_id[ID_TEXT_SIZE]; /* of the post or comment that is made */
};

/* --- posts --- */

static int save(struct txn *txn, const char *id unused_arg, const ProtobufCMessage *message)
{
    return store_save_post(txn, (const Moment__V1__Post *)message);
}

static const struct entity_kind post_kind = {
    .name = "post",
    .descriptor = &moment__v1__post__descriptor,
    .select = STORE_SELECT_POST,
    .save = save,
};

static const char *id_derived(const char *what, const char *from, char text[ID_TEXT_SIZE])
{
    const char *const parts[] = {what, from};
    struct id id = id_of(parts, countof(parts));

    return id_print(&id, text);
}

static const Moment__V1__Post *find(const struct recognition *recognition, const char *id)
{
    return (const Moment__V1__Post *)entity_get(recognition->wall->posts, id);
}

static Moment__V1__Post *new_post(Moment__V1__PostKind kind, const char *id)
{
    Moment__V1__Post *post = recognition_new(sizeof(*post));
    moment__v1__post__init(post);
    post->kind = kind;
    entity_set_text(&post->post_id, id);
    return post;
}

/* Consumes post; the record, the row, the deliveries. */
static void put(struct recognition *recognition, struct txn *txn, Moment__V1__Post *post)
{
    Moment__V1__PostChanged changed;
    uint64_t seq;

    moment__v1__post_changed__init(&changed);
    post->revision++;
    changed.post = post;
    seq = recognition_emit(recognition, txn, post->site, post->post_id, &changed.base);
    webhooks_queue(txn, post->kind, seq);
    entity_put(recognition->wall->posts, txn, post->post_id, &post->base);
}

static const char *kind_name(Moment__V1__PostKind kind)
{
    static const char *const names[] = {
        [POST_UNKNOWN] = "unknown", [POST_PRAISE] = "praise",           [POST_STORY] = "story",
        [POST_JOURNAL] = "journal", [POST_CELEBRATION] = "celebration",
    };

    return (size_t)kind < countof(names) ? names[kind] : names[POST_UNKNOWN];
}

static void put_new(struct recognition *recognition, struct txn *txn, Moment__V1__Post *post)
{
    metric_add(&recognition_posts_total, kind_name(post->kind), 1);
    put(recognition, txn, post);
}

/* --- praise --- */

void wall_load_praise(struct recognition *recognition, struct txn *txn,
                      const Moment__V1__Note *note)
{
    char id[ID_TEXT_SIZE];

    entity_load(recognition->wall->posts, txn, id_derived("praise", note->note_id, id));
}

void wall_praise(struct recognition *recognition, struct txn *txn, const Moment__V1__Note *note)
{
    char id[ID_TEXT_SIZE];
    Moment__V1__Post *post;

    if (find(recognition, id_derived("praise", note->note_id, id)) != NULL) {
        return; /* a later revision of the note: it was acknowledged */
    }
    post = new_post(MOMENT__V1__POST_KIND__POST_KIND_PRAISE, id);
    entity_set_text(&post->author, note->giver);
    entity_set_text(&post->author_name, note->giver_name);
    entity_set_text(&post->author_person_id, note->giver_person_id);
    entity_set_text(&post->about, note->receiver);
    entity_set_text(&post->about_name, note->receiver_name);
    entity_set_text(&post->text, note->text);
    entity_set_text(&post->moment_id, note->moment_id);
    entity_set_text(&post->note_id, note->note_id);
    entity_set_text(&post->criterion_title, note->criterion_title);
    entity_set_text(&post->site, note->site);
    entity_set_text(&post->team_id, note->team_id);
    post->posted_at = note->given_at;
    put_new(recognition, txn, post);
}

/* --- commands --- */

static const struct caller *caller_of(const struct wall_command *self)
{
    return call_caller(self->command.call);
}

static bool is_user(const struct caller *caller, const char *user_id)
{
    return user_id[0] != '\0' && strcmp(caller->id, user_id) == 0;
}

static struct post_view view_of(const struct caller *caller, const Moment__V1__Post *post)
{
    const char *person_id = caller->person_id != NULL ? caller->person_id : "";

    return (struct post_view){
        .kind = (int)post->kind,
        .is_withdrawn = post->withdrawn != 0,
        .is_pinned = post->pinned != 0,
        .has_story = post->story_id[0] != '\0',
        .is_mine = is_user(caller, post->author),
        .is_about_me = person_id[0] != '\0' && strcmp(post->about, person_id) == 0,
        .is_leader = (caller->roles & ROLE_LEADER) != 0,
        .reactions = post->n_reactions,
        .comments = post->n_comments,
        .bytes = protobuf_c_message_get_packed_size(&post->base),
    };
}

/* Each request about one post has its id as the first field. */
static const char *post_id_of(const struct call *call)
{
    const ProtobufCMessage *request = call_request(call);
    const ProtobufCFieldDescriptor *field = &request->descriptor->fields[0];
    const char *id;

    assert(strcmp(field->name, "post_id") == 0);
    memcpy(&id, (const char *)request + field->offset, sizeof(id));
    return id;
}

static struct wall_command *new_command(struct recognition *recognition, struct call *call,
                                        command_load_fn *load, command_apply_fn *apply)
{
    struct wall_command *self = command_new(sizeof(*self), call, recognition, load, apply);
    struct id id = id_v7();

    (void)id_print(&id, self->made_id);
    return self;
}

static void load_post(struct command *command, struct txn *txn)
{
    const struct wall_command *self = (const struct wall_command *)command;
    struct recognition *recognition = command->state;

    entity_load(recognition->wall->posts, txn, post_id_of(command->call));
    if (self->verb->load != NULL) {
        self->verb->load(command, txn);
    }
}

static int apply_verb(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                      struct problem *problem)
{
    struct wall_command *self = (struct wall_command *)command;
    struct recognition *recognition = command->state;
    const Moment__V1__Post *post = find(recognition, post_id_of(command->call));
    Moment__V1__Post *copy;
    int changed;

    if (post == NULL) {
        return call_not_found(problem, "post_id", "post");
    }
    copy = (Moment__V1__Post *)entity_edit(&post->base);
    changed = self->verb->change(self, txn, copy, problem);
    if (changed > 0) {
        put(recognition, txn, copy);
    } else {
        codec_free(&copy->base);
    }
    if (changed >= 0) {
        *ret_response = codec_answer(
            self->verb->response, entity_get(recognition->wall->posts, post_id_of(command->call)));
    }
    return changed < 0 ? changed : 0;
}

static void start_verb(struct recognition *recognition, struct call *call, const struct verb *verb)
{
    struct wall_command *self;

    if (!recognition_check_id(call, "post_id", post_id_of(call), "post")) {
        return;
    }
    self = new_command(recognition, call, load_post, apply_verb);
    self->verb = verb;
    command_start(service_bus(recognition->service), &self->command);
}

/* --- WritePost --- */

static const Moment__V1__WritePostRequest *draft_of(const struct call *call)
{
    return (const Moment__V1__WritePostRequest *)call_request(call);
}

static void sign(Moment__V1__Post *post, const struct caller *caller)
{
    entity_set_text(&post->author, caller->id);
    entity_set_text(&post->author_name, caller->name);
    entity_set_text(&post->author_person_id, caller->person_id);
}

static int apply_writing(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                         struct problem *problem unused_arg)
{
    const struct wall_command *self = (const struct wall_command *)command;
    const Moment__V1__WritePostRequest *draft = draft_of(command->call);
    Moment__V1__Post *post = new_post(draft->kind, self->made_id);

    sign(post, caller_of(self));
    entity_set_text(&post->title, draft->title);
    entity_set_text(&post->text, draft->text);
    entity_set_text(&post->moment_id, draft->moment_id);
    entity_set_text(&post->about, draft->about);
    entity_set_text(&post->about_name, draft->about_name);
    entity_set_text(&post->site, draft->site);
    entity_set_text(&post->team_id, draft->team_id);
    post->posted_at = txn_now_us(txn);
    put_new(command->state, txn, post);
    *ret_response = codec_answer(&moment__v1__write_post_response__descriptor, &post->base);
    return 0;
}

/* Everybody reads it; but nobody speaks for a place that is not theirs. */
static bool is_place_refused(struct call *call, const Moment__V1__WritePostRequest *draft)
{
    const struct caller *caller = call_caller(call);

    if (strlen(draft->site) > PLACE_BYTES_MAX || strlen(draft->team_id) > PLACE_BYTES_MAX) {
        call_refuse(call, 422, "invalid-field", draft->site[0] != '\0' ? "site" : "team_id",
                    "At most %d bytes.", PLACE_BYTES_MAX);
        return true;
    }
    if (draft->site[0] != '\0' && !caller_sees_site(caller, draft->site)) {
        call_refuse(call, 403, "forbidden", "site", "This site is none of yours.");
        return true;
    }
    if (draft->team_id[0] != '\0' && !caller_sees_team(caller, draft->team_id)) {
        call_refuse(call, 403, "forbidden", "team_id", "This team is none of yours.");
        return true;
    }
    return false;
}

static bool is_draft_refused(struct call *call)
{
    const struct caller *caller = call_caller(call);
    const Moment__V1__WritePostRequest *draft = draft_of(call);
    const struct post_draft looked_at = {
        .kind = (int)draft->kind,
        .is_leader = (caller->roles & ROLE_LEADER) != 0,
        .title = draft->title,
        .text = draft->text,
        .about = draft->about,
        .about_name = draft->about_name,
        .writer_person_id = caller->person_id != NULL ? caller->person_id : "",
    };
    struct id id;

    if (recognition_refused(call, post_check_draft(&looked_at))) {
        return true;
    }
    if (draft->moment_id[0] != '\0' && id_parse(draft->moment_id, &id) != 0) {
        call_refuse(call, 422, "invalid-field", "moment_id", "A moment_id is a UUID.");
        return true;
    }
    return is_place_refused(call, draft);
}

void wall_write_post(void *state, struct call *call)
{
    struct recognition *recognition = state;
    struct wall_command *self;

    if (is_draft_refused(call)) {
        return;
    }
    self = new_command(recognition, call, NULL, apply_writing);
    command_start(service_bus(recognition->service), &self->command);
}

/* --- TellStory --- */

static void load_story(struct command *command, struct txn *txn)
{
    struct recognition *recognition = command->state;
    const char *praise_id = post_id_of(command->call);
    char story_id[ID_TEXT_SIZE];

    entity_load(recognition->wall->posts, txn, praise_id);
    entity_load(recognition->wall->posts, txn, id_derived("story", praise_id, story_id));
}

static Moment__V1__Post *story_of(const struct wall_command *self, const struct txn *txn,
                                  const Moment__V1__Post *praise)
{
    const Moment__V1__TellStoryRequest *request =
        (const Moment__V1__TellStoryRequest *)call_request(self->command.call);
    char id[ID_TEXT_SIZE];
    Moment__V1__Post *story =
        new_post(MOMENT__V1__POST_KIND__POST_KIND_STORY, id_derived("story", praise->post_id, id));

    sign(story, caller_of(self));
    entity_set_text(&story->about, praise->about);
    entity_set_text(&story->about_name, praise->about_name);
    entity_set_text(&story->text, request->text);
    entity_set_text(&story->moment_id, praise->moment_id);
    entity_set_text(&story->criterion_title, praise->criterion_title);
    entity_set_text(&story->praise_id, praise->post_id);
    entity_set_text(&story->site, praise->site);
    entity_set_text(&story->team_id, praise->team_id);
    story->posted_at = txn_now_us(txn);
    return story;
}

static int apply_story(struct command *command, struct txn *txn, ProtobufCMessage **ret_response,
                       struct problem *problem)
{
    const struct wall_command *self = (const struct wall_command *)command;
    const Moment__V1__Post *praise = find(command->state, post_id_of(command->call));
    const struct refusal *refusal;
    Moment__V1__Post *story, *answered;
    struct post_view view;

    if (praise == NULL) {
        return call_not_found(problem, "post_id", "post");
    }
    view = view_of(caller_of(self), praise);
    refusal = post_may_tell(&view);
    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    story = story_of(self, txn, praise);
    answered = (Moment__V1__Post *)entity_edit(&praise->base);
    entity_set_text(&answered->story_id, story->post_id);
    put_new(command->state, txn, story);
    *ret_response = codec_answer(&moment__v1__tell_story_response__descriptor, &story->base);
    put(command->state, txn, answered);
    return 0;
}

void wall_tell_story(void *state, struct call *call)
{
    const Moment__V1__TellStoryRequest *request =
        (const Moment__V1__TellStoryRequest *)call_request(call);
    struct recognition *recognition = state;
    struct wall_command *self;

    if (!recognition_check_id(call, "post_id", request->post_id, "post") ||
        recognition_refused(call, post_check_story(request->text))) {
        return;
    }
    self = new_command(recognition, call, load_story, apply_story);
    command_start(service_bus(recognition->service), &self->command);
}

/* --- React --- */

/* n_reactions: there is none. */
static size_t find_reaction(const Moment__V1__Post *post, const char *user_id,
                            Moment__V1__ReactionKind kind)
{
    for (size_t i = 0; i < post->n_reactions; i++) {
        if (post->reactions[i]->kind == kind && strcmp(post->reactions[i]->user_id, user_id) == 0) {
            return i;
        }
    }
    return post->n_reactions;
}

static void add_reaction(Moment__V1__Post *post, const struct caller *caller,
                         Moment__V1__ReactionKind kind, int64_t at)
{
    Moment__V1__Reaction *reaction = recognition_new(sizeof(*reaction));
    moment__v1__reaction__init(reaction);
    reaction->kind = kind;
    reaction->at = at;
    entity_set_text(&reaction->user_id, caller->id);
    entity_set_text(&reaction->name, caller->name);
    entity_append(&post->n_reactions, &post->reactions, reaction);
}

static void remove_reaction(Moment__V1__Post *post, size_t at)
{
    codec_free(&post->reactions[at]->base);
    post->n_reactions--;
    memmove(&post->reactions[at], &post->reactions[at + 1],
            (post->n_reactions - at) * sizeof(*post->reactions));
}

static int change_reaction(struct wall_command *self, struct txn *txn, Moment__V1__Post *post,
                           struct problem *problem)
{
    const Moment__V1__ReactRequest *request =
        (const Moment__V1__ReactRequest *)call_request(self->command.call);
    const struct caller *caller = caller_of(self);
    size_t at = find_reaction(post, caller->id, request->kind);
    bool is_there = at < post->n_reactions;
    struct post_view view = view_of(caller, post);
    const struct refusal *refusal =
        post_may_react(&view, (int)request->kind, request->remove || is_there);

    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    if (is_there != (request->remove != 0)) {
        return 0;
    }
    if (is_there) {
        remove_reaction(post, at);
    } else {
        add_reaction(post, caller, request->kind, txn_now_us(txn));
    }
    return 1;
}

void wall_react(void *state, struct call *call)
{
    static const struct verb verb = {.response = &moment__v1__react_response__descriptor,
                                     .change = change_reaction};

    start_verb(state, call, &verb);
}

/* --- comments --- */

static int change_comments(struct wall_command *self, struct txn *txn, Moment__V1__Post *post,
                           struct problem *problem)
{
    const Moment__V1__CommentRequest *request =
        (const Moment__V1__CommentRequest *)call_request(self->command.call);
    struct post_view view = view_of(caller_of(self), post);
    const struct refusal *refusal = post_may_comment(&view);
    Moment__V1__Comment *comment;

    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    comment = recognition_new(sizeof(*comment));
    moment__v1__comment__init(comment);
    comment->at = txn_now_us(txn);
    entity_set_text(&comment->comment_id, self->made_id);
    entity_set_text(&comment->author, caller_of(self)->id);
    entity_set_text(&comment->author_name, caller_of(self)->name);
    entity_set_text(&comment->text, request->text);
    entity_append(&post->n_comments, &post->comments, comment);
    return 1;
}

void wall_comment(void *state, struct call *call)
{
    static const struct verb verb = {.response = &moment__v1__comment_response__descriptor,
                                     .change = change_comments};
    const Moment__V1__CommentRequest *request =
        (const Moment__V1__CommentRequest *)call_request(call);

    if (!recognition_refused(call, post_check_comment(request->text))) {
        start_verb(state, call, &verb);
    }
}

static Moment__V1__Comment *find_comment(const Moment__V1__Post *post, const char *comment_id)
{
    for (size_t i = 0; i < post->n_comments; i++) {
        if (strcmp(post->comments[i]->comment_id, comment_id) == 0) {
            return post->comments[i];
        }
    }
    return NULL;
}

static int take_back_comment(struct wall_command *self, struct txn *txn unused_arg,
                             Moment__V1__Post *post, struct problem *problem)
{
    const Moment__V1__WithdrawCommentRequest *request =
        (const Moment__V1__WithdrawCommentRequest *)call_request(self->command.call);
    Moment__V1__Comment *comment = find_comment(post, request->comment_id);
    struct post_view view = view_of(caller_of(self), post);
    const struct refusal *refusal;

    if (comment == NULL) {
        return call_not_found(problem, "comment_id", "comment");
    }
    refusal = post_may_withdraw_comment(&view, is_user(caller_of(self), comment->author));
    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    if (comment->withdrawn) {
        return 0;
    }
    comment->withdrawn = true;
    entity_set_text(&comment->text, "");
    return 1;
}

void wall_withdraw_comment(void *state, struct call *call)
{
    static const struct verb verb = {.response = &moment__v1__withdraw_comment_response__descriptor,
                                     .change = take_back_comment};

    start_verb(state, call, &verb);
}

/* --- WithdrawPost, PinPost --- */

static void set_pinned(struct wall *wall, Moment__V1__Post *post, bool is_pinned)
{
    if (wall->knows_pinned) {
        wall->pinned -= post->pinned != 0;
        wall->pinned += is_pinned;
    }
    post->pinned = is_pinned;
}

static int take_back_post(struct wall_command *self, struct txn *txn unused_arg,
                          Moment__V1__Post *post, struct problem *problem)
{
    const Moment__V1__WithdrawPostRequest *request =
        (const Moment__V1__WithdrawPostRequest *)call_request(self->command.call);
    struct recognition *recognition = self->command.state;
    struct post_view view = view_of(caller_of(self), post);
    const struct refusal *refusal = post_may_withdraw(&view);

    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    set_pinned(recognition->wall, post, false);
    post->withdrawn = true;
    entity_set_text(&post->withdrawn_by, caller_of(self)->id);
    entity_set_text(&post->withdrawn_because, request->because);
    return 1;
}

void wall_withdraw_post(void *state, struct call *call)
{
    static const struct verb verb = {.response = &moment__v1__withdraw_post_response__descriptor,
                                     .change = take_back_post};
    const Moment__V1__WithdrawPostRequest *request =
        (const Moment__V1__WithdrawPostRequest *)call_request(call);

    if (!recognition_refused(call, post_check_because(request->because))) {
        start_verb(state, call, &verb);
    }
}

static void on_pinned(void *arg, int status, const struct db_rows *rows,
                      const struct db_error *error unused_arg)
{
    struct wall *wall = arg;

    if (status == 0) {
        wall->pinned = (size_t)db_get_i64(rows, 0, 0);
        wall->knows_pinned = true;
    }
}

/* Asked once; the writer is alone, so it can be counted from then on. */
static void load_pinned(struct command *command, struct txn *txn)
{
    struct recognition *recognition = command->state;

    if (!recognition->wall->knows_pinned) {
        store_load_pinned(txn, on_pinned, recognition->wall);
    }
}

static int change_pin(struct wall_command *self, struct txn *txn unused_arg, Moment__V1__Post *post,
                      struct problem *problem)
{
    const Moment__V1__PinPostRequest *request =
        (const Moment__V1__PinPostRequest *)call_request(self->command.call);
    struct recognition *recognition = self->command.state;
    bool pins = request->pinned != 0;
    struct post_view view = view_of(caller_of(self), post);
    const struct refusal *refusal = post_may_pin(&view, pins, recognition->wall->pinned);

    if (refusal != NULL) {
        return recognition_refuse(problem, refusal);
    }
    if (view.is_pinned == pins) {
        return 0;
    }
    set_pinned(recognition->wall, post, pins);
    return 1;
}

void wall_pin_post(void *state, struct call *call)
{
    static const struct verb verb = {.response = &moment__v1__pin_post_response__descriptor,
                                     .load = load_pinned,
                                     .change = change_pin};

    start_verb(state, call, &verb);
}

/* --- reading --- */

static bool is_shown(struct call *call, ProtobufCMessage *element)
{
    struct post_view view = view_of(call_caller(call), (const Moment__V1__Post *)element);

    return post_is_shown(&view);
}

void wall_get_post(void *state, struct call *call)
{
    const struct recognition *recognition = state;
    struct id id;

    if (recognition_check_id(call, "post_id", post_id_of(call), "post") &&
        id_parse(post_id_of(call), &id) == 0) {
        store_get_post(service_reader(recognition->service), call, &id, is_shown);
    }
}

void wall_list_posts(void *state, struct call *call)
{
    const struct recognition *recognition = state;
    const Moment__V1__ListPostsRequest *request =
        (const Moment__V1__ListPostsRequest *)call_request(call);
    struct post_filter filter = {.kind = (int32_t)request->kind,
                                 .about = request->about,
                                 .author = request->author,
                                 .pinned_only = request->pinned != 0};

    if (listing_read(call, request->limit, request->cursor, &filter.page)) {
        store_list_posts(service_reader(recognition->service), call, &filter);
    }
}

/* A praise, as the question that it is to who was praised. Borrows. */
static void ask_for_story(const Moment__V1__Post *praise, Moment__V1__StoryRequest *request)
{
    moment__v1__story_request__init(request);
    request->post_id = praise->post_id;
    request->asked = praise->about;
    request->praise_text = praise->text;
    request->praised_by_name = praise->author_name;
    request->asked_at = praise->posted_at;
    request->moment_id = praise->moment_id;
}

static void reply_requests(struct call *call, const struct db_rows *rows)
{
    static Moment__V1__StoryRequest requests[STORE_STORY_REQUESTS_MAX];
    static Moment__V1__StoryRequest *pointers[STORE_STORY_REQUESTS_MAX];
    static ProtobufCMessage *praises[STORE_STORY_REQUESTS_MAX];
    Moment__V1__ListStoryRequestsResponse response;

    moment__v1__list_story_requests_response__init(&response);
    response.requests = pointers;
    for (size_t i = 0; i < db_count(rows) && i < countof(requests); i++) {
        ProtobufCMessage **praise = &praises[response.n_requests];

        if (protobuf_read(&moment__v1__post__descriptor, db_get_bytes(rows, i, 0), praise) == 0) {
            Moment__V1__StoryRequest *request = &requests[response.n_requests];

            ask_for_story((const Moment__V1__Post *)*praise, request);
            pointers[response.n_requests++] = request;
        }
    }
    call_reply(call, &response.base);
    for (size_t i = 0; i < response.n_requests; i++) {
        codec_free(praises[i]);
    }
}

static void on_requests(void *arg, int status, const struct db_rows *rows,
                        const struct db_error *error unused_arg)
{
    struct call *call = arg;

    if (status == 0) {
        reply_requests(call, rows);
    } else {
        call_refuse(call, 503, "database-unavailable", "", "The database can't answer now.");
    }
}

void wall_list_story_requests(void *state, struct call *call)
{
    const struct recognition *recognition = state;
    const char *person_id = call_caller(call)->person_id;
    int error = store_story_requests(service_reader(recognition->service),
                                     person_id != NULL ? person_id : "", on_requests, call);

    if (error != 0) {
        on_requests(call, error, NULL, NULL);
    }
}

/* --- life --- */

int wall_open(struct wall **ret_wall)
{
    struct wall *wall = calloc(1, sizeof(*wall));
    int error;

    if (wall == NULL) {
        return -ENOMEM;
    }
    error = entities_new(&post_kind, POSTS_BYTES_MAX, &wall->posts);
    if (error != 0) {
        free(wall);
        return error;
    }
    *ret_wall = wall;
    return 0;
}

void wall_forget(struct wall *wall)
{
    entities_forget(wall->posts);
    wall->knows_pinned = false;
}

void wall_close(struct wall **wall)
{
    if (*wall != NULL) {
        entities_free(&(*wall)->posts);
    }
    free(*wall);
    *wall = NULL;
}
