/** What commands print, and how they fail. */
package dev.stubpool.cli.output;
