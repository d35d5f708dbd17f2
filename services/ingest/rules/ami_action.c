#include "ingest/rules/ami_action.h"

#include "base/seal.h"
#include "ingest/rules/md5.h"

#include <errno.h>
#include <string.h>

struct header {
    const char *name;
    const char *value;
};

static int append_action(struct buf *out, const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strpbrk(headers[i].value, "\r\n"))
            return -EINVAL;
    }
    size_t before = out->len;
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = buf_printf(out, "%s: %s\r\n", headers[i].name, headers[i].value);
    if (!error)
        error = buf_append(out, "\r\n", 2);
    if (error)
        out->len = before;
    return error;
}

int ami_action_login(struct buf *out, const char *action_id, const char *user, const char *secret,
                     const char *events)
{
    const struct header headers[] = {{"Action", "Login"},
                                     {"ActionID", action_id},
                                     {"Username", user},
                                     {"Secret", secret},
                                     {"Events", events}};
    return append_action(out, headers, countof(headers));
}

int ami_action_challenge(struct buf *out, const char *action_id)
{
    const struct header headers[] = {
        {"Action", "Challenge"}, {"ActionID", action_id}, {"AuthType", "MD5"}};
    return append_action(out, headers, countof(headers));
}

/* What proves that we know the secret: MD5 of challenge and secret, in hex. */
static int answer_to(const char *challenge, const char *secret, char *to, size_t size)
{
    struct buf both;
    buf_init(&both, 4096);
    int error = buf_printf(&both, "%s%s", challenge, secret);
    if (!error) {
        uint8_t digest[MD5_SIZE];
        md5(both.data, both.len, digest);
        int written = seal_hex(digest, sizeof(digest), to, size);
        error = written < 0 ? written : 0;
    }
    buf_done(&both);
    return error;
}

int ami_action_login_md5(struct buf *out, const char *action_id, const char *user,
                         const char *secret, const char *challenge, const char *events)
{
    char key[2 * MD5_SIZE + 1];
    int error = answer_to(challenge, secret, key, sizeof(key));
    if (error)
        return error;
    const struct header headers[] = {{"Action", "Login"}, {"ActionID", action_id},
                                     {"AuthType", "MD5"}, {"Username", user},
                                     {"Key", key},        {"Events", events}};
    return append_action(out, headers, countof(headers));
}

static int simple_action(struct buf *out, const char *action, const char *action_id)
{
    const struct header headers[] = {{"Action", action}, {"ActionID", action_id}};
    return append_action(out, headers, countof(headers));
}

int ami_action_queue_status(struct buf *out, const char *action_id)
{
    return simple_action(out, "QueueStatus", action_id);
}

int ami_action_core_show_channels(struct buf *out, const char *action_id)
{
    return simple_action(out, "CoreShowChannels", action_id);
}

int ami_action_ping(struct buf *out, const char *action_id)
{
    return simple_action(out, "Ping", action_id);
}

int ami_action_logoff(struct buf *out, const char *action_id)
{
    return simple_action(out, "Logoff", action_id);
}
