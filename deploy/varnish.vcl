# Pages that Varnish keeps, with sponsor lines that it does not: docs/proxies.md says what each part is for.
#
# In the service's environment:
#   ADSERVER_PUBLIC_URL=https://sponsors.example    where readers' beacons and clicks go, past this Varnish or through it
vcl 4.1;

backend site {
    .host = "127.0.0.1";
    .port = "8000";
}

backend adserver {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 0.5s;
    .first_byte_timeout = 1s;  # a page waits no longer for its sponsor
    .between_bytes_timeout = 1s;
}

# <esi:include src="/v1/slots/masthead.html?location=Remer,MN"/>
sub vcl_recv {
    if (req.url ~ "^/v1/slots/[^/]+\.html(\?|$)") {
        set req.backend_hint = adserver;
        unset req.http.Cookie;  # an include asks with the reader's headers
        unset req.http.Range;
        return (pass);  # each reader's own: it holds a token
    }
    set req.backend_hint = site;
}

sub vcl_backend_response {
    if (bereq.url ~ "^/v1/slots/[^/]+\.html(\?|$)") {
        if (beresp.status != 200) {
            return (error(beresp.status));
        }
    } else if (beresp.http.Content-Type ~ "^text/html") {
        set beresp.do_esi = true;
    }
}

# Whatever goes wrong prints nothing, where Varnish would print its own error page into the publisher's.
sub vcl_backend_error {
    if (bereq.url ~ "^/v1/slots/[^/]+\.html(\?|$)") {
        set beresp.status = 200;
        unset beresp.http.Retry-After;
        synthetic("");
        return (deliver);
    }
}

# Varnish may keep the page, for the line is put in as it goes out. The browser may not: what it gets holds a token.
sub vcl_deliver {
    if (req.esi_level == 0 && resp.http.Content-Type ~ "^text/html") {
        set resp.http.Cache-Control = "private, no-store";
        unset resp.http.ETag;
        unset resp.http.Last-Modified;
    }
}
