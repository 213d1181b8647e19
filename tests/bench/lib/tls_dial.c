/* tls_dial -- TLS handshakes, one after the other, against a server on loopback; nothing is asked of it.
 *
 *	tls_dial PORT CA full|resumed SECONDS [CERT KEY]
 *
 * Prints the number of handshakes. A connection ends as a polite client ends one: close_notify, then read until
 * the server's, tickets included. With `resumed`, each opens with the ticket of the one before, and one that was
 * not resumed ends the program. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	fprintf(stderr, "tls_dial: %s\n", what);
	exit(1);
}

static int
dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger hard = { 1, 0 };	/* no TIME_WAIT: ports are few */
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("cannot connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* One connection; the session to come back with. */
static SSL_SESSION *
visit(SSL_CTX *ctx, int port, SSL_SESSION *with)
{
	SSL *ssl = SSL_new(ctx);
	int fd = dial(port);
	SSL_SESSION *next;
	char byte;

	SSL_set_fd(ssl, fd);
	if (with != NULL)
		SSL_set_session(ssl, with);
	if (SSL_connect(ssl) != 1)
		die("handshake failed");
	if (with != NULL && !SSL_session_reused(ssl))
		die("not resumed");
	SSL_shutdown(ssl);
	while (SSL_read(ssl, &byte, 1) > 0)
		;
	next = SSL_get1_session(ssl);
	SSL_free(ssl);
	close(fd);
	return next;
}

int
main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *s = NULL;
	bool resumed;
	double end;
	long n = 0;
	int port;

	if (argc != 5 && argc != 7)
		die("usage: tls_dial PORT CA full|resumed SECONDS [CERT KEY]");
	port = atoi(argv[1]);
	resumed = strcmp(argv[3], "resumed") == 0;
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set1_groups_list(ctx, "X25519");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(ctx, argv[2]) != 1)
		die("no CA");
	if (argc == 7 && (SSL_CTX_use_certificate_chain_file(ctx, argv[5]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[6], SSL_FILETYPE_PEM) != 1))
		die("no certificate");
	s = visit(ctx, port, NULL);
	for (end = now() + atof(argv[4]); now() < end; n++) {
		SSL_SESSION *next = visit(ctx, port, resumed ? s : NULL);

		SSL_SESSION_free(s);
		s = next;
	}
	SSL_SESSION_free(s);
	SSL_CTX_free(ctx);
	printf("%ld\n", n);
	return 0;
}
