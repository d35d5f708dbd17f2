/* problem - refusals, as RFC 9457 has them: in memory and on the wire. */
#include "io/bus_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *title_of(uint32_t status)
{
    switch (status) {
    case 400:
        return "The request is not valid";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 409:
        return "In conflict with what is there";
    case 412:
        return "Changed meanwhile";
    case 413:
        return "Too large";
    case 422:
        return "Cannot be done as asked";
    case 428:
        return "Say what you have seen";
    case 503:
        return "Not available now";
    case 504:
        return "No answer in time";
    default:
        return status < 500 ? "Refused" : "Failed";
    }
}

printf_like(5, 0) static void set(struct problem *problem, uint32_t status, const char *type,
                                  const char *field, const char *detail, va_list args)
{
    char text[sizeof(problem->detail)];

    /* The arguments may point into the problem. */
    vsnprintf(text, sizeof(text), detail, args);
    memset(problem, 0, sizeof(*problem));
    problem->status = status;
    text_copy(problem->type, sizeof(problem->type), type);
    text_copy(problem->title, sizeof(problem->title), title_of(status));
    text_copy(problem->detail, sizeof(problem->detail), text);
    text_copy(problem->field, sizeof(problem->field), field ? field : "");
    /* Both quote what was sent and may have been cut inside a character; a reply that is no UTF-8
     * would be refused by who asked. */
    (void)text_repair_utf8(problem->detail, strlen(problem->detail));
    (void)text_repair_utf8(problem->field, strlen(problem->field));
}

void problem_set(struct problem *problem, uint32_t status, const char *type, const char *field,
                 const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    set(problem, status, type, field, detail, args);
    va_end(args);
}

void call_refuse(struct call *call, uint32_t status, const char *type, const char *field,
                 const char *detail, ...)
{
    struct problem problem;
    va_list args;

    va_start(args, detail);
    set(&problem, status, type, field, detail, args);
    va_end(args);
    call_fail(call, &problem);
}

int call_not_found(struct problem *problem, const char *field, const char *what)
{
    problem_set(problem, 404, "not-found", field, "There is no such %s, or you may not see it.",
                what);
    return -ENOENT;
}

int call_check_revision(struct problem *problem, uint32_t if_revision, uint32_t revision)
{
    if (if_revision == 0 && revision != 0) {
        problem_set(problem, 428, "revision-required", "if_revision",
                    "Say which revision you have seen (If-Match); it is %u now.", revision);
        return -EINVAL;
    }
    if (if_revision != revision) {
        problem_set(problem, 412, "stale", "if_revision",
                    "You have seen revision %u; it is %u now. Read it again and change that.",
                    if_revision, revision);
        return -ESTALE;
    }
    return 0;
}

void problem_to_message(const struct problem *problem, Moment__V1__Problem *message)
{
    moment__v1__problem__init(message);
    message->status = problem->status;
    /* protobuf-c has no const, packing does not write. */
    message->type = (char *)(uintptr_t)problem->type;
    message->title = (char *)(uintptr_t)problem->title;
    message->detail = (char *)(uintptr_t)problem->detail;
    message->field = (char *)(uintptr_t)problem->field;
}

void problem_from_message(const Moment__V1__Problem *message, struct problem *ret_problem)
{
    memset(ret_problem, 0, sizeof(*ret_problem));
    ret_problem->status = message->status;
    text_copy(ret_problem->type, sizeof(ret_problem->type), message->type);
    text_copy(ret_problem->title, sizeof(ret_problem->title), message->title);
    text_copy(ret_problem->detail, sizeof(ret_problem->detail), message->detail);
    text_copy(ret_problem->field, sizeof(ret_problem->field), message->field);
}
