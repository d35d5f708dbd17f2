/* link - the way to one peer: a DEALER that greets, beats, notices silence and is made anew.
 *
 * libzmq never reconnects a client that ZAP refused once and its heartbeats do not see a hung
 * application, so the link has its own watchdog: no WELCOME within 5 s, or nothing heard for 15 s,
 * closes the socket and opens another one after a back-off. A peer that forgot us (it restarted
 * behind the same socket) refuses what we say: then the link greets again at once, and is only down
 * if that fails. Loop thread only. */
#ifndef MOMENT_IO_LINK_H
#define MOMENT_IO_LINK_H

#include "io/curve.h"
#include "io/frame.h"
#include "io/loop.h"

struct link;

struct link_ops {
    /* WELCOME came. The link may be used from inside. */
    void (*on_up)(void *arg, const Moment__V1__Welcome *welcome);
    /* The peer forgot us, with all that was under way; on_up or on_down follows. */
    void (*on_forgotten)(void *arg);
    void (*on_down)(void *arg, const char *reason);
    /* Anything but WELCOME, while up. */
    void (*on_frame)(void *arg, const Moment__V1__Frame *frame);
    /* What our BEAT says. */
    void (*fill_beat)(void *arg, Moment__V1__Beat *beat);
};

struct link_options {
    void *context;                 /* borrowed */
    const char *name;              /* ours, for HELLO; borrowed */
    const char *peer;              /* copied */
    const char *address;           /* copied */
    const char *server_key;        /* copied */
    const struct curve_keys *keys; /* borrowed */
};

must_check int link_open(struct loop *loop, const struct link_options *options,
                         const struct link_ops *ops, void *arg, struct link **ret_link);
void link_close(struct link **link); /* on_down is not called */
bool link_is_up(const struct link *link);
const char *link_peer(const struct link *link);
/* Why it is not up; "" while it is. */
const char *link_reason(const struct link *link);
bool link_is_greeting_again(const struct link *link);
/* -ENOTCONN while down. */
must_check int link_send(struct link *link, const Moment__V1__Frame *frame);
/* The same with bytes that are a whole packed frame already. */
must_check int link_send_bytes(struct link *link, const void *bytes, size_t len);

#endif
