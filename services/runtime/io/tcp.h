/* tcp - an outgoing TCP connection that delivers bytes as they come.
 *
 * host is resolved off the loop. One struct tcp is one connection: after on_close it is dead and
 * must be tcp_close'd; reconnecting is the owner's business (base/retry.h). Loop thread only. */
#ifndef MOMENT_IO_TCP_H
#define MOMENT_IO_TCP_H

#include "base/text.h"
#include "io/loop.h"

struct tcp;
struct tcp_ops {
    void (*on_open)(void *arg);
    void (*on_data)(void *arg, struct slice bytes);
    void (*on_close)(void *arg, int error); /* 0: the peer closed; negative errno otherwise */
};

must_check int tcp_open(struct loop *loop, const char *host, uint16_t port,
                        const struct tcp_ops *ops, void *arg, struct tcp **ret_tcp);
must_check int tcp_send(struct tcp *tcp,
                        struct slice bytes); /* copied; -ENOBUFS over 1 MiB unsent */
/* Stop / go on reading: the peer's window fills meanwhile. */
void tcp_pause(struct tcp *tcp);
void tcp_resume(struct tcp *tcp);
void tcp_close(struct tcp **tcp); /* on_close is not called */

#endif
