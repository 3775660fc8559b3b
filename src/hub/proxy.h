/* Which proxy the environment names for a request, as Python's programs and libcurl read it. */
#ifndef NT_HUB_PROXY_H
#define NT_HUB_PROXY_H

#include "base/buffer.h"

typedef struct nt_proxy {
    const char *variable; /* "https_proxy"; NULL: none is named */
    const char *url;      /* "http://user:password@host:port", or with less of that; NULL */
} nt_proxy;

/* Of requests to http or https URLs: http_proxy, https_proxy, else all_proxy, small letters before
 * large ones. HTTP_PROXY is left alone where REQUEST_METHOD is set: in a CGI program whoever sends
 * a request can set it. The strings are the environment's. */
nt_proxy nt_proxy_find(bool https);

/* no_proxy as libcurl takes it: "*" for all hosts also where it stands among others, and
 * "*.example.org" as ".example.org". "" where it is not set. */
void nt_proxy_write_exceptions(nt_buffer *out);

#endif
