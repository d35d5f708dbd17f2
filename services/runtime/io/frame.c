#include "io/frame.h"

#include "io/json.h"
#include "io/zap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define TAG_FRAME_DATA 0x22   /* Frame.data = 4, length-delimited */
#define TAG_DATA_RECORDS 0x22 /* Data.records = 4, length-delimited */

int frame_read(struct slice bytes, Moment__V1__Frame **ret_frame)
{
    ProtobufCMessage *message = NULL;
    int rc = protobuf_read(&moment__v1__frame__descriptor, bytes, &message);

    if (rc < 0) {
        return rc;
    }
    Moment__V1__Frame *frame = (Moment__V1__Frame *)(void *)message;
    if (frame->kind_case == MOMENT__V1__FRAME__KIND__NOT_SET) {
        frame_free(&frame);
        return -EBADMSG;
    }
    *ret_frame = frame;
    return 0;
}

void frame_free(Moment__V1__Frame **frame)
{
    if (*frame) {
        moment__v1__frame__free_unpacked(*frame, NULL);
        *frame = NULL;
    }
}

static int send_message(void *socket, const struct frame_address *to, zmq_msg_t *message)
{
    if (to && zmq_send(socket, to->bytes, to->len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        int rc = -zmq_errno();
        zmq_msg_close(message);
        return rc;
    }
    if (zmq_msg_send(message, socket, ZMQ_DONTWAIT) < 0) {
        int rc = -zmq_errno();
        zmq_msg_close(message);
        return rc;
    }
    return 0;
}

int frame_send_bytes(void *socket, const struct frame_address *to, const void *bytes, size_t len)
{
    zmq_msg_t message;

    if (len > FRAME_BYTES_MAX) {
        return -EMSGSIZE;
    }
    if (zmq_msg_init_size(&message, len) != 0) {
        return -ENOMEM;
    }
    memcpy(zmq_msg_data(&message), bytes, len);
    return send_message(socket, to, &message);
}

int frame_send(void *socket, const struct frame_address *to, const Moment__V1__Frame *frame)
{
    size_t len = moment__v1__frame__get_packed_size(frame);
    zmq_msg_t message;

    if (len > FRAME_BYTES_MAX) {
        return -EMSGSIZE;
    }
    if (zmq_msg_init_size(&message, len) != 0) {
        return -ENOMEM;
    }
    moment__v1__frame__pack(frame, zmq_msg_data(&message));
    return send_message(socket, to, &message);
}

/* Whatever follows the payload belongs to no frame of ours. Returns false if there was any. */
static bool drop_rest(void *socket, zmq_msg_t *last)
{
    bool is_whole = true;

    while (zmq_msg_more(last)) {
        is_whole = false;
        zmq_msg_close(last);
        zmq_msg_init(last);
        if (zmq_msg_recv(last, socket, ZMQ_DONTWAIT) < 0) {
            break;
        }
    }
    return is_whole;
}

static void read_payload(zmq_msg_t *message, struct frame_received *received)
{
    const char *user_id = zmq_msg_gets(message, "User-Id");
    const char *key = zmq_msg_gets(message, ZAP_KEY_PROPERTY);
    struct slice bytes = {zmq_msg_data(message), zmq_msg_size(message)};

    if (!text_copy(received->user_id, sizeof(received->user_id), user_id ? user_id : "") ||
        !text_copy(received->key, sizeof(received->key), key ? key : "")) {
        received->user_id[0] = '\0';
    }
    if (frame_read(bytes, &received->frame) < 0) {
        received->frame = NULL;
    }
}

static int receive_address(void *socket, zmq_msg_t *message, struct frame_address *ret_from)
{
    size_t len = zmq_msg_size(message);

    if (len > sizeof(ret_from->bytes) || !zmq_msg_more(message)) {
        drop_rest(socket, message);
        return -EBADMSG;
    }
    memcpy(ret_from->bytes, zmq_msg_data(message), len);
    ret_from->len = len;
    zmq_msg_close(message);
    zmq_msg_init(message);
    return zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0 ? -zmq_errno() : 0;
}

int frame_receive(void *socket, bool is_router, struct frame_received *ret_received)
{
    zmq_msg_t message;
    int rc = 0;

    memset(ret_received, 0, sizeof(*ret_received));
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) {
        rc = zmq_errno() == EINTR ? -EAGAIN : -zmq_errno();
    } else if (is_router) {
        rc = receive_address(socket, &message, &ret_received->from);
    }
    if (rc == 0) {
        read_payload(&message, ret_received);
        if (!drop_rest(socket, &message)) {
            frame_free(&ret_received->frame);
        }
    }
    zmq_msg_close(&message);
    return rc == -EBADMSG ? 0 : rc;
}

static size_t write_varint(uint8_t to[10], uint64_t value)
{
    size_t len = 0;

    while (value >= 0x80) {
        to[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[len++] = (uint8_t)value;
    return len;
}

static int append_head(struct buf *out, uint8_t tag, size_t len)
{
    uint8_t head[11] = {tag};

    return buf_append(out, head, 1 + write_varint(head + 1, len));
}

int frame_data_add(struct frame_data *data, const Moment__V1__Record *record)
{
    size_t len = moment__v1__record__get_packed_size(record);
    uint8_t *packed = malloc(len ? len : 1);
    size_t before = data->records.len;
    int rc;

    if (!packed) {
        return -ENOMEM;
    }
    moment__v1__record__pack(record, packed);
    rc = append_head(&data->records, TAG_DATA_RECORDS, len);
    if (rc == 0) {
        rc = buf_append(&data->records, packed, len);
    }
    free(packed);
    if (rc < 0) {
        data->records.len = before;
        return rc;
    }
    if (data->count++ == 0) {
        data->first_seq = record->seq;
        data->epoch = record->epoch;
    }
    return 0;
}

int frame_data_finish(struct frame_data *data, uint64_t nonce, struct buf *out)
{
    Moment__V1__Data head;
    uint8_t packed[64];
    int rc;

    assert(data->count > 0);
    moment__v1__data__init(&head);
    head.nonce = nonce;
    head.epoch = data->epoch;
    head.first_seq = data->first_seq;
    size_t head_len = moment__v1__data__pack(&head, packed);

    buf_clear(out);
    rc = append_head(out, TAG_FRAME_DATA, head_len + data->records.len);
    if (rc == 0) {
        rc = buf_append(out, packed, head_len);
    }
    if (rc == 0) {
        rc = buf_append(out, data->records.data, data->records.len);
    }
    buf_clear(&data->records);
    data->count = 0;
    return rc;
}

size_t frame_record_weight(size_t body_len)
{
    return body_len + FRAME_RECORD_WEIGHT;
}
