/* md5 - RFC 1321, for the challenge of the Asterisk Manager login and nothing else: MD5 protects
 * nothing, Asterisk just speaks it. Pure; thread safe. */
#ifndef MOMENT_INGEST_MD5_H
#define MOMENT_INGEST_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_SIZE 16

void md5(const void *bytes, size_t len, uint8_t ret_digest[MD5_SIZE]);

#endif
