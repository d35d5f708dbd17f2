/* zwatch - one ZeroMQ socket, made safe inside libuv.
 *
 * ZMQ_FD is edge-triggered and any send or receive may swallow the edge (zmq_getsockopt(3)). So the
 * poll callback is empty; a prepare handle reads ZMQ_EVENTS before the loop blocks and keeps it
 * awake with an idle handle; a check handle calls on_readable, which receives at most a bounded
 * number of messages and returns. The socket stays owned by the caller and must outlive the watch.
 */
#ifndef MOMENT_IO_ZWATCH_H
#define MOMENT_IO_ZWATCH_H

#include "io/loop.h"

struct zwatch;

must_check int zwatch_open(struct loop *loop, void *socket, void (*on_readable)(void *arg),
                           void *arg, struct zwatch **ret_watch);
void zwatch_close(struct zwatch **watch);

#endif
