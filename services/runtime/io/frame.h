/* frame - one message on a socket: packing, checking, sending. The grammar of the conversation is
 * proto/README.md. Loop thread only. */
#ifndef MOMENT_IO_FRAME_H
#define MOMENT_IO_FRAME_H

#include "base/buf.h"
#include "base/text.h"
#include "moment/v1/stream.pb-c.h"

#define FRAME_PROTOCOL 1
#define FRAME_BYTES_MAX (4 * 1024 * 1024)
/* What a record weighs besides its body, so that empty bodies cost credit too. */
#define FRAME_RECORD_WEIGHT 128

/* A routing id as the ROUTER gave it. */
struct frame_address {
    uint8_t bytes[32];
    size_t len;
};

/* -EBADMSG, -ENOMEM; a frame without a kind is -EBADMSG. */
must_check int frame_read(struct slice bytes, Moment__V1__Frame **ret_frame);
void frame_free(Moment__V1__Frame **frame);

/* to null: the socket is a DEALER. -EHOSTUNREACH, -EAGAIN: the peer is not there; -EMSGSIZE. */
must_check int frame_send(void *socket, const struct frame_address *to,
                          const Moment__V1__Frame *frame);
/* The same with bytes that are a whole packed frame already. */
must_check int frame_send_bytes(void *socket, const struct frame_address *to, const void *bytes,
                                size_t len);

/* One received message. key and user_id are "" on a DEALER. Both are read from the payload, since
 * the ROUTER of libzmq 4.3.4 loses them on the routing id. */
struct frame_received {
    struct frame_address from;
    char user_id[80];
    char key[48];
    Moment__V1__Frame *frame; /* null: the message was no frame */
};
/* -EAGAIN: nothing there. The caller frees frame. */
must_check int frame_receive(void *socket, bool is_router, struct frame_received *ret_received);

/* A packed DATA frame built record by record without packing anything twice. */
struct frame_data {
    struct buf records;
    size_t count;
    uint64_t first_seq;
    uint32_t epoch;
};
must_check int frame_data_add(struct frame_data *data, const Moment__V1__Record *record);
/* The whole frame into out; data is empty afterwards. */
must_check int frame_data_finish(struct frame_data *data, uint64_t nonce, struct buf *out);

size_t frame_record_weight(size_t body_len);

#endif
