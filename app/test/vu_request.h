/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_REQUEST_H
#define VU_REQUEST_H

/**
 * @file
 * Requests that a client can make, one of each kind, always with the same arguments. All return
 * what the function of the client's API does.
 */

int request_read(int dev_id);
int request_write(int dev_id);
int request_post(int dev_id);
int request_reset(int dev_id);
int request_info(int dev_id);
int request_reg_info(int dev_id);
int request_irq_info(int dev_id);
int request_map(int dev_id);
int request_unmap(int dev_id);
int request_unmap_all(int dev_id);
int request_irqs_off(int dev_id);
int request_mig_write(int dev_id);

#endif /* VU_REQUEST_H */
