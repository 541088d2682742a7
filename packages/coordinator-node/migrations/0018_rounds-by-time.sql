DROP INDEX "inputs_void";--> statement-breakpoint
CREATE INDEX "inputs_performed" ON "inputs" USING btree ("performed_at","id");--> statement-breakpoint
CREATE INDEX "inputs_void" ON "inputs" USING btree ("performed_at","id") WHERE void_reason is not null;