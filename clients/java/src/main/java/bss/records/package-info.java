/** Makes the exact bytes of records, and signs them. */
package bss.records;
