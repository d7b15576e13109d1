"""The verbs, one file each under the verb's name; `samaf` holds those that users call."""
