// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for zpool in the trees of the tests, which have no ZFS: says what is in /zpool.list, if it is asked rightly.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const words[] = { "zpool", "list", "-v", "-H", "-P", "-L", "rpool" };
	char buf[4096];
	ssize_t got;
	int fd = open("/zpool.list", O_RDONLY);

	if (fd < 0) {
		static const char none[] = "cannot open 'rpool': no such pool\n\t/dev/sda2\n";

		return write(STDERR_FILENO, none, sizeof(none) - 1) > 0 ? 1 : 2;
	}
	if (argc < 6 || argc > 7)
		return 1;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], words[i]))
			return 1;
	}
	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		if (write(STDOUT_FILENO, buf, (size_t)got) != got)
			return 1;
	}
	return got < 0;
}
