// SPDX-License-Identifier: GPL-2.0-or-later
/* What it costs to start a static program that does nothing. */
int main(void)
{
	return 0;
}
