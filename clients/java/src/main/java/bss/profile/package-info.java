/** Who is calling: a profile.yaml and the files that it names. */
package bss.profile;
