<?php
/** Leave nothing behind when the plugin is deleted. */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

foreach ( array( 'sponsor_slots_service', 'sponsor_slots_slot', 'sponsor_slots_paragraph' ) as $setting ) {
	delete_option( $setting );
}
