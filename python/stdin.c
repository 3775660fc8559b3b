/* Debian's static jansson was not compiled for shared libraries: it addresses stdin, with which
 * json_loadf compares the file that it is given, in a way that only a program may. Linked with
 * --wrap=stdin it finds this in its place. Nothing here calls json_loadf. */
extern void *const __wrap_stdin;
__attribute__((visibility("hidden"))) void *const __wrap_stdin = 0;
